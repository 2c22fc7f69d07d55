//! A whole server in the test's own process, on a database of its own.

use actix_web::{
    App as ActixApp, Error,
    body::{BoxBody, MessageBody},
    cookie::Cookie,
    dev::{Service, ServiceResponse},
    http::{Method, StatusCode, header::CONTENT_TYPE},
    middleware::from_fn,
    test::{TestRequest, init_service},
    web,
};
use futures_util::future::LocalBoxFuture;
use server::{
    auth::{keyring::Keyring, session, throttle::Throttle, token},
    clock,
    db::{Account, DatabaseUrl, NewToken, Readers, Store, TokenKind, WriterLock},
    devices::Devices,
    entropy,
    hosts::{Hosts, Intake, judge::Judge},
    http::{self, App, Instance},
    inventory::Inventory,
    live::Board,
    mirror::Desk,
    runtime::{LastResort, Links, Runtime, Start, Stopped},
};
use shared::{IntegrationId, PersonId, api::Role};
use std::{
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

pub(crate) const PASSWORD: &str = "three blind mice run";
pub(crate) const OWN_URL: &str = "http://127.0.0.1:8080";

/// Two people, one policy; pages go nowhere.
pub(crate) const CONFIG: &str = r#"# who there is
fallback = ["person:li"]

[[people]]
id = "li"
name = "李伟"
language = "zh"
contacts = [{ id = "bot", webhook = "https://bot.invalid/x", secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz" }]

[[people]]
id = "anna"
name = "Anna"
[[people.contacts]]
id = "bot"
webhook = "https://bot.invalid/y"

[[policies]]
id = "p"
levels = [{ notify = ["person:li"], delay = "5m" }, { notify = ["person:anna"], delay = "5m" }]

[[routes]]
id = "all"
policy = "p"
"#;

pub(crate) struct House {
    pub(crate) app: web::Data<App>,
    pub(crate) sender: String,
    thread: Option<JoinHandle<Stopped>>,
    folder: tempfile::TempDir,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(CONFIG, None)
    }

    pub(crate) fn with(config: &str, public_url: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::within(folder, config, public_url)
    }

    /// The same house after its server was stopped and started again.
    pub(crate) fn restart(&mut self) {
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        self.stop();
        *self = Self::within(folder, "", None);
    }

    fn within(folder: tempfile::TempDir, config: &str, public_url: Option<&str>) -> Self {
        let url = DatabaseUrl::Sqlite(folder.path().join("t.db"));
        let mut store = Store::open(&url).unwrap();
        let lock = WriterLock::acquire(&url).unwrap();
        store.migrate().unwrap();
        if !config.is_empty() {
            store.config_put(config, "test", clock::now(), None).unwrap();
        }
        let links = Links::new(public_url.map(str::to_owned), OWN_URL.to_owned(), [7; 32]);
        let board = Arc::new(Board::new(clock::now().ms().unsigned_abs()));
        let readers = Arc::new(Readers::new(url.clone(), 4));
        let sender = make_token(&mut store, TokenKind::Integration, None);
        let keyring = Arc::new(Keyring::open(&readers).unwrap());
        let inventory = Inventory::default();
        inventory.restore(&mut store).unwrap();
        let devices = Arc::new(Devices::open(&mut store).unwrap());
        let instance = "test".to_owned();
        let start = Start {
            url,
            store,
            lock,
            links,
            board: board.clone(),
            instance,
            devices: devices.clone(),
            last_resort: LastResort::default(),
        };
        let (runtime, thread) = Runtime::start(start).unwrap();
        let instance = Instance { version: "0", demo: false, own_url: OWN_URL.to_owned(), trusted_proxies: Vec::new() };
        let inventory = Arc::new(inventory);
        let mirrors = Arc::new(Desk::new("test".to_owned(), runtime.orders()));
        let throttle = Mutex::new(Throttle::default());
        let replays = Default::default();
        let hosts: Arc<Hosts> = Arc::default();
        let judge = Arc::new(Judge::new(Arc::clone(&hosts), clock::now()));
        let app = web::Data::new(App {
            runtime,
            board,
            readers,
            inventory,
            intake: Arc::new(Intake::new(Arc::clone(&hosts))),
            hosts,
            judge,
            mirrors,
            devices,
            data: None,
            keyring,
            throttle,
            requests: Default::default(),
            lost: Default::default(),
            pace: Default::default(),
            replays,
            instance,
        });
        Self { app, sender, thread: Some(thread), folder }
    }

    pub(crate) async fn service(&self) -> Doors {
        let service = init_service(
            ActixApp::new().app_data(self.app.clone()).wrap(from_fn(http::outermost)).configure(http::configure),
        )
        .await;
        boxed(service)
    }

    pub(crate) fn store<T>(&self, work: impl FnOnce(&mut Store) -> T) -> T {
        let mut store = Store::open(&DatabaseUrl::Sqlite(self.folder.path().join("t.db"))).unwrap();
        work(&mut store)
    }

    /// Where its store is.
    pub(crate) fn database(&self) -> std::path::PathBuf {
        self.folder.path().join("t.db")
    }

    pub(crate) fn account(&self, login: &str, role: Role, person: Option<&str>) {
        let account = Account {
            login: login.to_owned(),
            name: login.to_owned(),
            role,
            person: person.map(PersonId::from),
            password_hash: Some(server::auth::password::hash(PASSWORD).unwrap()),
            disabled: false,
            created_at: clock::now(),
        };
        self.store(|store| store.account_create(&account)).unwrap();
    }

    /// A new session of an account.
    pub(crate) fn cookie(&self, login: &str) -> Cookie<'static> {
        let (text, _) = self.store(|store| session::begin(store, login, "test", "::1", clock::now())).unwrap();
        session::cookie(text, false)
    }

    /// The token of one more sender.
    pub(crate) fn another_sender(&self, name: &str) -> String {
        self.store(|store| named_token(store, TokenKind::Integration, None, name))
    }

    pub(crate) fn api_token(&self, role: Role) -> String {
        self.store(|store| make_token(store, TokenKind::Api, Some(role)))
    }
}

impl House {
    fn stop(&mut self) {
        self.app.runtime.stop();
        if let Some(thread) = self.thread.take() {
            assert_eq!(thread.join().unwrap(), Stopped::Asked);
        }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop();
    }
}

fn make_token(store: &mut Store, kind: TokenKind, role: Option<Role>) -> String {
    named_token(store, kind, role, "monitor")
}

fn named_token(store: &mut Store, kind: TokenKind, role: Option<Role>, name: &str) -> String {
    let text = entropy::token("t_");
    let sender = IntegrationId::from(name);
    let new = NewToken {
        kind,
        name,
        integration: role.is_none().then_some(&sender),
        role,
        hash: &token::hash_hex(&text),
        hint: &token::hint(&text),
        created_by: "test",
    };
    store.token_create(&new, clock::now()).unwrap();
    text
}

pub(crate) fn request(method: &str, path: &str) -> TestRequest {
    TestRequest::default().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path)
}

pub(crate) fn json(method: &str, path: &str, body: &serde_json::Value) -> TestRequest {
    request(method, path).insert_header((CONTENT_TYPE, "application/json")).set_payload(body.to_string())
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: actix_web::http::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// What stands behind the socket, whatever its type.
pub(crate) type Doors =
    Box<dyn Fn(actix_http::Request) -> LocalBoxFuture<'static, Result<ServiceResponse<BoxBody>, Error>>>;

pub(crate) fn boxed<B: MessageBody + 'static>(
    service: impl Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error, Future: 'static> + 'static,
) -> Doors {
    Box::new(move |request| {
        let answer = service.call(request);
        Box::pin(async move { answer.await.map(|response| response.map_body(|_, body| BoxBody::new(body))) })
    })
}

pub(crate) async fn call(doors: &Doors, request: TestRequest) -> Answer {
    let response = match doors(request.to_request()).await {
        Ok(response) => response,
        Err(error) => {
            let response = error.error_response();
            return finish(response.status(), response.headers().clone(), response.into_body()).await;
        }
    };
    let (status, headers) = (response.status(), response.headers().clone());
    finish(status, headers, response.into_body()).await
}

async fn finish(status: StatusCode, headers: actix_web::http::header::HeaderMap, body: BoxBody) -> Answer {
    let body = actix_web::body::to_bytes(body).await.unwrap();
    Answer { status, headers, text: String::from_utf8_lossy(&body).into_owned() }
}
