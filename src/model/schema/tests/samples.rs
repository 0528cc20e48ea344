//! Whole documents that are right.

pub(super) const NATIVE: &str = r#"id: mega-api-001
team: beta
version: 1.0
description: an API
generator:
  type: factory
  patterns: { api: "src/api/v1/{entity}" }
  rules:
    - type: for_each
      for_each: [users, products]
      as: entity
      when: "entity != 'payments'"
      plural: { staff: staff }
      allow_empty: true
      generate:
        - controller: "{@api}/controller.ts"
        - { template: dto, path: "src/{entity}.ts", when: true, with: {k: v}, mode: executable, once: true }
    - generate: [ readme: "README.md", { content: "x\n", path: "src/index.ts" }, { copy: a.svg, path: "b.svg" } ]
    - scaffold:
        src/shared: { index.ts: { template: index }, raw.txt: "text", empty/: {}, content/: { a: b } }
    - factory: crud
      for_each: "data.entities"
      with: { name: "{entity}", fields: "{{ entity.fields }}" }
    - for_each: { entity: [a], lang: "data.langs" }
      patterns: [{ name: api, path: "src/{lang}" }]
      generate: []
factories:
  crud: { params: { properties: { name: { type: string } } }, generate: [ a: "b" ], rules: [ generate: [ a: "c" ] ] }
data: { entities: [ { name: users, fields: [] } ] }
sources: { spec: openapi.yaml }
contributes: { routes: [ { for_each: "data.entities", value: { path: "/{entities}" } } ] }
expansion:
  { targetFiles: [ "a.ts", { path: b.ts, lines: { min: 3 } } ], totalLines: 900, dependencies: [ mega-core-001 ] }
validation:
  schema: { required: [ entities ] }
  tests: [ { files: "src/**", count: 4, contains: "@C", not_contains: [ TODO, x ], matches: '^a$', min_lines: 20, max_lines: 30, parses: true }, { files: a, count: { min: 1 } } ]
templates:
  controller: |
    export class {Entity} {}
  dto: { syntax: jinja, literal: [ name ], placeholders: [ x ], plural: { person: people }, text: "..." }
"#;

pub(super) const LBOF: &str = r#"id: lbof-1
version: 1.0
team: alpha
checksum: abc
metadata: { description: x, estimated_files: 45, estimated_loc: 3000-4000, dependencies: [ beta/b-1 ], extra: 1 }
expansion_stats: { files: 3 }
expansion_rules:
  entities:
    - { name: User, plural: users, attributes: [ { name: id, type: uuid, required: true } ], color: red }
  crawler_components: [ { name: a, description: b } ]
  patterns: [ { type: range, prefix: m_, start: 1, end: 3, templates: [ m ] } ]
  scaffold: { directories: [ a ], files: [ { template: t, context: { a: 1 } } ] }
generation_templates:
  entity: { output_path: "src/{entity}.ts", template: "x" }
special_components:
  index: { output_path: "src/index.ts", template: "y" }
validation:
  pre_generation: [ { check: entity_names_unique, error: twice } ]
  post_generation: [ { check: files_compile, command: "tsc" } ]
"#;

pub(super) const MANIFEST: &str = r#"project: { name: shop }
version: 1
seed: 42
vars: { company: Acme }
megafiles: megafiles/
on_edit: [ { files: "docs/**", policy: keep } ]
limits: { files_per_run: 1000 }
teams:
  alpha:
    output: [ /src/core/, /src/database/schema/ ]
    lines_of_code: 8000-10000
    dependencies: none
  beta:
    name: API
    id: team-beta
    priority: 1
    dependencies: [ alpha ]
    capabilities: { max_files: 1000, max_loc: 10000, languages: [ typescript ], frameworks: [], specialties: [ rest ] }
    boundaries: { write_paths: [ /src/api/ ], read_paths: [ /src/shared/ ], forbidden_paths: [ /src/core/ ] }
    deliverables:
      mega_files: [ api-1, { name: api-2 } ]
      expected_output: { total_files: 120-150, total_loc: 8000-10000, test_coverage: 90% }
coordination_rules:
  communication: { bus: events }
  integration_sequence: [ { phase: 1, teams: [ alpha ], duration: 15 min } ]
  conflict_resolution: orchestrator
  validation_gates: [ syntax ]
integration_points: [ { name: API, between: [ alpha, all ], artifact: /contracts/api.yaml } ]
"#;

pub(super) const MANIFEST_LIST: &str = r#"teams:
  - name: Alpha
    responsibility: Foundation & Database
    dependencies: []
    typical_files: [ "api/app/database.py" ]
  - { name: Beta, code: beta, dependencies: [ Alpha ], safe_parallel: false }
"#;

/// The example of the seed, section 4.3, as it stands.
pub(super) const SEED: &str = r#"
id: "mega-api-001"
team: "beta"
version: "1.0.0"

generator:
  type: "factory"
  rules:
    - for_each: ["users", "products", "orders", "payments"]
      generate:
        - controller: "src/api/v1/{entity}/controller.ts"
        - service: "src/services/{entity}.service.ts"

expansion:
  targetFiles: 120
  totalLines: 8500

templates:
  controller: |
    import { Controller } from '@framework';
    import { {Entity}Service } from '@services/{entity}.service';
"#;
