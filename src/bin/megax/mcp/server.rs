//! What the protocol asks of a server. One request after another is carried out, on a thread of its own, so that the
//! asynchronous thread always reads; a panic is an error of its request and not the end of the server.

use std::borrow::Cow;
use std::sync::Arc;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CustomRequest, CustomResult, ErrorCode, GetPromptRequestParams,
    GetPromptResponse, Implementation, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult,
    ListToolsResult, PaginatedRequestParams, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult,
    ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use tokio::sync::{Mutex, Semaphore};

use super::calls::Session;
use super::{prompts, resources, tools};

/// So many requests wait at once; a client that asks for more is told so.
const MOST_WAITING: usize = 32;

/// What a model is told when the session begins.
const INSTRUCTIONS: &str = "megax expands mega-files (YAML in megafiles/: data, rules, templates) into the files of a \
project. Do not write the generated files: write or edit a mega-file (read megax://format), call `validate` until no \
error is left, call `plan`, look at what would change, then call `expand` with the digest of the plan. To change a \
generated file, ask `explain FILE:LINE` which line of which mega-file makes it, and edit that; `check_path` says whether \
a file is yours to edit.";

/// The server of one session.
pub struct Server {
    session: Arc<Session>,
    places: Semaphore,
    turn: Mutex<()>,
}

impl Server {
    pub fn new(session: Session) -> Self {
        Self { session: Arc::new(session), places: Semaphore::new(MOST_WAITING), turn: Mutex::const_new(()) }
    }

    /// Does work when it is its turn, and unless it is cancelled until then.
    async fn in_turn<T: Send + 'static>(
        &self,
        is_cancelled: impl Fn() -> bool + Send,
        work: impl FnOnce(&Session) -> T + Send + 'static,
    ) -> Result<T, ErrorData> {
        let Ok(_place) = self.places.try_acquire() else {
            let why = format!("{MOST_WAITING} requests wait already; wait for their answers");
            return Err(ErrorData::internal_error(why, None));
        };
        let _turn = self.turn.lock().await;
        if is_cancelled() {
            return Err(ErrorData::internal_error("the request was cancelled before it began", None));
        }
        let session = Arc::clone(&self.session);
        let done = tokio::task::spawn_blocking(move || work(&session)).await;
        // What the panic said is on stderr.
        done.map_err(|_| ErrorData::internal_error("this is a bug in megax: the request panicked (see stderr)", None))
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_resources().enable_prompts().build();
        let instructions = match self.session.team() {
            Some(team) => Cow::Owned(format!("{INSTRUCTIONS} You work for team {team}.")),
            None => Cow::Borrowed(INSTRUCTIONS),
        };
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("megax", env!("CARGO_PKG_VERSION")))
            .with_instructions(instructions)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools::list()))
    }

    async fn call_tool(
        &self,
        asked: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let call = tools::call(&asked.name, asked.arguments.unwrap_or_default())
            .map_err(|why| ErrorData::invalid_params(why, None))?;
        let answer = self.in_turn(|| context.ct.is_cancelled(), move |session| session.answer(&call)).await?;
        Ok(answer.into_result().into())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(resources::list()))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(ListResourceTemplatesResult::with_all_items(resources::templates()))
    }

    async fn read_resource(
        &self,
        asked: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let uri = asked.uri.clone();
        let text = self.in_turn(|| context.ct.is_cancelled(), move |session| resources::read(session, &uri)).await?;
        let text = text.map_err(|why| ErrorData::resource_not_found(why, None))?;
        Ok(ReadResourceResult::new(vec![text.into_contents(&asked.uri)]).into())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(prompts::list(self.session.team())))
    }

    async fn get_prompt(
        &self,
        asked: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let invalid = |why| ErrorData::invalid_params(why, None);
        let which = prompts::which(&asked.name, &asked.arguments.unwrap_or_default(), self.session.team());
        let which = which.map_err(invalid)?;
        let prompt = self.in_turn(|| context.ct.is_cancelled(), move |session| prompts::get(session, which)).await?;
        Ok(prompt.map_err(invalid)?.into())
    }

    /// What the library does not take for a request of the protocol: another method, or one with other parameters.
    async fn on_custom_request(
        &self,
        asked: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let takes = match asked.method.as_str() {
            "tools/call" | "prompts/get" => "`name`, a text, and `arguments`, an object",
            "resources/read" => "`uri`, a text",
            _ => return Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, asked.method, None)),
        };
        Err(ErrorData::invalid_params(format!("the parameters of `{}` are {takes}", asked.method), None))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use megax::disk::Durability;

    use super::super::calls::Project;
    use super::*;

    #[test]
    fn a_panic_is_an_error_of_its_request_and_what_was_cancelled_is_not_begun() {
        let (current, durability) = (PathBuf::from("."), Durability::Process);
        let server = Server::new(Session::new(Project { current, manifest: None, out: None, team: None, durability }));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let panicked = server.in_turn(|| false, |_| panic!("as it must")).await;
            let error: ErrorData = panicked.map(|(): ()| ()).unwrap_err();
            assert_eq!(error.code, ErrorCode::INTERNAL_ERROR);
            assert!(error.message.contains("a bug in megax"), "{}", error.message);
            let begun = Arc::new(std::sync::atomic::AtomicBool::new(false));
            let mark = Arc::clone(&begun);
            let cancelled = server.in_turn(|| true, move |_| mark.store(true, std::sync::atomic::Ordering::Relaxed));
            assert!(cancelled.await.is_err() && !begun.load(std::sync::atomic::Ordering::Relaxed));
            assert_eq!(server.in_turn(|| false, |_| 7).await.ok(), Some(7), "and the next one is carried out");
        });
    }
}
