//! `megax mcp`: a server of the Model Context Protocol (MCP) on stdin and stdout, for agents that call tools.
//!
//! ```text
//! stdin -> rmcp (JSON-RPC, one message a line) -> server: one request after another, off the asynchronous thread
//!            tools      what can be called          -> calls      what a call does, with the library as every command
//!            resources  what can be read               plans      what `plan` answered and `expand` may write
//!            prompts    what starts a session
//! ```
//!
//! A tool answers with the document that its command prints with `--format json`, and with the text for people, shortened.
//! Nothing is written but by `expand`, and that only what a plan of this session holds, under the plan's digest.
//!
//! It must never print: stdout carries the protocol only, and stderr what a person should know. It reads the project and
//! writes below the output root, whatever it is asked: the process gave up the rest before ([`crate::sandbox`]).

mod answer;
mod calls;
mod log;
mod plans;
mod prompts;
mod resources;
mod server;
mod tools;

use clap::Args;
use megax::report::Outcome;
use rmcp::ServiceExt as _;
use rmcp::service::ServerInitializeError;
use rmcp::transport::async_rw::AsyncRwTransport;

use crate::args::Roots;
use crate::{request, terminal};

/// The longest message that is taken, in bytes. A call names paths, teams and digests; no text of a file is ever sent.
const MAX_LINE: usize = 1 << 20;

#[derive(Debug, Args)]
pub struct Mcp {
    #[command(flatten)]
    pub roots: Roots,
    /// The team whose agent calls (or in the environment: `MEGAX_TEAM`): calls concern it unless they name another, and
    /// only its own files are planned and written
    #[arg(long, value_name = "TEAM")]
    pub team: Option<String>,
}

/// Serves until stdin ends.
pub fn mcp(args: &Mcp) -> Outcome {
    let session = match session(args) {
        Ok(session) => session,
        Err(message) => {
            terminal::say(&format!("error: {message}\n"));
            return Outcome::Usage;
        }
    };
    log::to_stderr();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_time().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal::say(&format!("error: the server cannot be started: {error}\n"));
            return Outcome::DiskFailed;
        }
    };
    // Dropped at the end, the runtime waits for a call that still runs: what it began to publish is finished.
    runtime.block_on(serve(session))
}

fn session(args: &Mcp) -> Result<calls::Session, String> {
    let project = calls::Project {
        current: request::current()?,
        manifest: args.roots.manifest.clone(),
        out: args.roots.out.clone(),
        team: request::team(args.team.as_ref())?,
        durability: request::durability(None)?,
    };
    Ok(calls::Session::new(project))
}

async fn serve(session: calls::Session) -> Outcome {
    let streams = AsyncRwTransport::new_server(tokio::io::stdin(), tokio::io::stdout()).with_max_line_length(MAX_LINE);
    let running = match server::Server::new(session).serve(streams).await {
        Ok(running) => running,
        // Whoever started it had nothing to ask.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Outcome::Done,
        Err(ServerInitializeError::ExpectedInitializeRequest(_)) => {
            terminal::say("error: the first message must be the request `initialize` of the Model Context Protocol\n");
            return Outcome::Usage;
        }
        Err(error) => {
            terminal::say(&format!("error: the session cannot begin: {error}\n"));
            return Outcome::Usage;
        }
    };
    match running.waiting().await {
        Ok(_) => Outcome::Done,
        Err(error) => {
            terminal::say(&format!("error: the server failed: {error}\n"));
            Outcome::Bug
        }
    }
}
