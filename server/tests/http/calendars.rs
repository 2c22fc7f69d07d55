//! Calendars that others keep: fetched from a real server that changes, fails and lies, and never wiping a schedule.

use super::house::{CONFIG, House, call, request};
use serde_json::Value;
use server::{calendars, clock, db::Store};
use shared::api::Role;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener},
    process::Command,
    sync::{Arc, Mutex},
};

const DAY: i64 = 86_400_000;

/// A server of calendars on loopback; it answers as it was told last, and keeps what it was asked.
struct Keeper {
    at: SocketAddr,
    answer: Arc<Mutex<Vec<u8>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Keeper {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let (answer, asked) = (Arc::<Mutex<Vec<u8>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (answers, asks) = (answer.clone(), asked.clone());
        // Ends with the process.
        drop(std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = String::new();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                while reader.read_line(&mut head).unwrap() > 2 {}
                asks.lock().unwrap().push(head);
                let answer = answers.lock().unwrap().clone();
                // Whoever has read enough hangs up.
                stream.write_all(&answer).ok();
            }
        }));
        Self { at, answer, asked }
    }

    fn url(&self) -> String {
        format!("http://{}/private-5ecret/basic.ics", self.at)
    }

    fn says(&self, head: &str, body: &str) {
        let length = body.len();
        let answer = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        *self.answer.lock().unwrap() = answer.into_bytes();
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

fn config(url: &str, networks: &str) -> String {
    format!(
        "{CONFIG}
        [channels.webhook]
        allow_networks = [{networks}]
        [[schedules]]
        id = \"duty\"
        name = \"Duty\"
        time_zone = \"Europe/Berlin\"
        layers = [{{ id = \"theirs\", ical_url = \"{url}\" }}]"
    )
}

fn house(keeper: &Keeper) -> House {
    let house = House::with(&config(&keeper.url(), "\"127.0.0.0/8\""), None);
    house.account("v", Role::Viewer, None);
    house.account("r", Role::Responder, None);
    house
}

/// From yesterday to tomorrow.
fn on_call(who: &str) -> String {
    let stamp = |days: i64| {
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_millis((clock::now().ms() + days * DAY) as u64);
        chrono::DateTime::<chrono::Utc>::from(at).format("%Y%m%dT%H%M%SZ").to_string()
    };
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:{who}\r\nDTSTART:{}\r\nDTEND:{}\r\n\
         END:VEVENT\r\nEND:VCALENDAR\r\n",
        stamp(-1),
        stamp(1)
    )
}

async fn fetch(house: &House, url: &str) -> u32 {
    let done = calendars::fetch(&house.app.runtime, &house.app.readers, vec![url.to_owned()]).await;
    done[0].1
}

/// Who is on call now, and how the calendar stands.
async fn stands(house: &House) -> (Vec<String>, Value) {
    let service = house.service().await;
    let get = |path: &str| request("GET", path).cookie(house.cookie("v"));
    let seen = call(&service, get("/api/v1/schedules/imported")).await;
    assert!(!seen.text.contains("5ecret"), "the address is not shown: {}", seen.text);
    let on_call = call(&service, get("/api/v1/oncall")).await.json();
    let people = on_call["schedules"][0]["on_call"].as_array().unwrap().iter();
    (people.map(|it| it["person"].as_str().unwrap().to_owned()).collect(), seen.json()["items"][0].clone())
}

#[actix_web::test]
async fn the_last_good_copy_counts_whatever_becomes_of_the_calendar() {
    let keeper = Keeper::new();
    let (house, url) = (house(&keeper), keeper.url());
    let (people, calendar) = stands(&house).await;
    assert_eq!((people.len(), &calendar["has_copy"], &calendar["host"]), (0, &Value::from(false), &"127.0.0.1".into()));
    keeper.says("200 OK\r\netag: \"one\"\r\nlast-modified: Sat, 21 Nov 2026 07:00:00 GMT", &on_call("Anna"));
    assert_eq!(fetch(&house, &url).await, 0);
    let (people, calendar) = stands(&house).await;
    assert_eq!((people, &calendar["events"], &calendar["error"]), (vec!["anna".to_owned()], &1.into(), &Value::Null));
    let first = keeper.asked();
    assert!(first[0].starts_with("GET /private-5ecret/basic.ics") && !first[0].contains("if-none-match"), "{first:?}");

    // Unchanged, as its keeper says.
    keeper.says("304 Not Modified", "");
    assert_eq!(fetch(&house, &url).await, 0);
    let asked = keeper.asked().remove(0).to_lowercase();
    assert!(asked.contains("if-none-match: \"one\""), "{asked}");
    assert!(asked.contains("if-modified-since: sat, 21 nov 2026 07:00:00 gmt"), "{asked}");
    let (_, unchanged) = stands(&house).await;
    assert_eq!(unchanged["changed_at"], calendar["changed_at"]);
    assert!(unchanged["good_at"].as_i64() >= calendar["good_at"].as_i64());

    // Whatever goes wrong: the copy stays, and why is told.
    let elsewhere = Keeper::new();
    for (n, (head, body, why)) in [
        ("500 Internal Server Error", "Anna's own words", "it answered 500"),
        ("200 OK", "", "does not begin with BEGIN:VCALENDAR"),
        ("200 OK", "<html>please sign in</html>", "it is not a calendar that can be read"),
        ("200 OK", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\n", "cut off"),
        ("200 OK", &"x".repeat(4 * 1_024 * 1_024 + 1), "it is larger than 4096 KiB"),
        ("302 Found\r\nlocation: http://10.0.0.1/metadata", "", "it redirects, and there: the address is private"),
        ("302 Found\r\nlocation: http://[::ffff:a9fe:a9fe]/", "", "it redirects, and there: the address is private"),
        ("302 Found\r\nlocation: /again", "", "it redirects more than 3 times"),
        ("302 Found", "", "it redirects to nowhere"),
    ]
    .into_iter()
    .enumerate()
    {
        keeper.says(head, body);
        assert_eq!(fetch(&house, &url).await, n as u32 + 1, "{head}");
        let (people, calendar) = stands(&house).await;
        assert_eq!(people, ["anna"], "{head}");
        let error = calendar["error"].as_str().unwrap();
        assert!(error.contains(why) && !error.contains("own words"), "{error}");
        assert_eq!(calendar["good_at"], unchanged["good_at"], "as old as it was");
    }
    assert!(elsewhere.asked().is_empty());

    // A redirect to where we may go is followed; a valid calendar without events is one.
    elsewhere.says("200 OK", &on_call("li"));
    keeper.says(&format!("307 Temporary Redirect\r\nlocation: {}", elsewhere.url()), "");
    assert_eq!(fetch(&house, &url).await, 0);
    assert_eq!(stands(&house).await.0, ["li"]);
    keeper.says("200 OK", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n");
    assert_eq!(fetch(&house, &url).await, 0);
    let (people, calendar) = stands(&house).await;
    assert_eq!((people.len(), &calendar["events"], &calendar["has_copy"]), (0, &0.into(), &true.into()));
}

#[actix_web::test]
async fn private_addresses_are_refused_unless_the_configuration_allows_them() {
    let keeper = Keeper::new();
    let house = House::with(&config(&keeper.url(), ""), None);
    house.account("v", Role::Viewer, None);
    assert_eq!(fetch(&house, &keeper.url()).await, 1);
    let (_, calendar) = stands(&house).await;
    assert!(calendar["error"].as_str().unwrap().contains("private or reserved"), "{calendar}");
    assert!(keeper.asked().is_empty());
}

#[actix_web::test]
async fn a_copy_outlives_a_restart_and_old_ones_are_told() {
    let keeper = Keeper::new();
    let (mut house, url) = (house(&keeper), keeper.url());
    keeper.says("200 OK", &on_call("anna, Zoë"));
    fetch(&house, &url).await;
    house.restart();
    let (people, calendar) = stands(&house).await;
    assert_eq!((people, &calendar["old"]), (vec!["anna".to_owned()], &false.into()));
    assert_eq!((&calendar["unclear"][0]["name"], calendar["unclear"].as_array().unwrap().len()), (&"Zoë".into(), 1));
    house.store(|store: &mut Store| {
        let before = store.calendar_states().unwrap().remove(0);
        let mut aged = before.clone();
        aged.good_at = Some(clock::now().plus_ms(-25 * 3_600_000));
        assert!(store.calendar_put(Some(&before), &aged, None).unwrap());
    });
    assert_eq!(stands(&house).await.1["old"], true);
}

#[actix_web::test]
async fn whoever_answers_pages_may_have_it_fetched_now_and_nobody_reads_the_address() {
    let keeper = Keeper::new();
    let house = house(&keeper);
    let service = house.service().await;
    keeper.says("200 OK", &on_call("Anna"));
    let post = |login: &str| request("POST", "/api/v1/schedules/duty/imported").cookie(house.cookie(login));
    assert_eq!(call(&service, post("v")).await.status, 403);
    let done = call(&service, post("r")).await;
    assert_eq!((done.status.as_u16(), &done.json()["items"][0]["events"]), (200, &1.into()), "{}", done.text);
    call(&service, post("r")).await;
    assert_eq!(keeper.asked().len(), 1, "not twice in a moment");
    let list = call(&service, request("GET", "/api/v1/schedules").cookie(house.cookie("v"))).await;
    assert_eq!(list.json()["items"][0]["layers"][0]["ical_url"], "https://127.0.0.1/…");
}

/// Rules, exceptions, moved occurrences, days and zones, as another library writes them, and its own idea of what they come
/// to.
#[actix_web::test]
async fn what_another_library_writes_comes_to_the_same_shifts() {
    const SCRIPT: &str = "
import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo
from dateutil.rrule import rrule, WEEKLY
from icalendar import Calendar, Event, vCalAddress
zone = ZoneInfo('America/New_York')
calendar = Calendar()
calendar.add('prodid', '-//test//')
calendar.add('version', '2.0')
def event(uid, summary, start, end, **more):
    it = Event()
    for name, value in dict(uid=uid, dtstamp=datetime(2026, 1, 1, tzinfo=ZoneInfo('UTC')), summary=summary, dtstart=start, dtend=end, **more).items():
        it.add(name.replace('_', '-'), value)
    calendar.add_component(it)
    return it
first = datetime(2026, 2, 23, 20, 0, tzinfo=zone)
skipped, moved = first + timedelta(weeks=2), first + timedelta(weeks=3)
event('weekly', 'a very long summary, which is folded, about who is on duty: 陈晨 and nobody else at all, really',
      first, first + timedelta(hours=12), rrule={'freq': 'weekly', 'count': 6}, exdate=[skipped]
      ).add('attendee', vCalAddress('MAILTO:Anna@Example.org'))
event('weekly', '[L3] anna', moved + timedelta(days=1), moved + timedelta(days=1, hours=6), recurrence_id=moved)
event('days', 'li', date(2026, 3, 28), date(2026, 3, 30))
starts = [at for at in rrule(WEEKLY, count=6, dtstart=first) if at not in (skipped, moved)]
ms = lambda at: round(at.timestamp() * 1000)
shifts = [[ms(at), ms(at + timedelta(hours=12)), 'anna'] for at in starts]
shifts.append([ms(moved + timedelta(days=1)), ms(moved + timedelta(days=1, hours=6)), 'anna'])
berlin = ZoneInfo('Europe/Berlin')
shifts.append([ms(datetime(2026, 3, 28, tzinfo=berlin)), ms(datetime(2026, 3, 30, tzinfo=berlin)), 'li'])
print(json.dumps([calendar.to_ical().decode(), sorted(shifts)]))
";
    let python = e2e::environment::python().unwrap();
    let written = Command::new(python).args(["-c", SCRIPT]).output().unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let (text, expected): (String, Vec<(i64, i64, String)>) = serde_json::from_slice(&written.stdout).unwrap();
    let keeper = Keeper::new();
    let mail = "[channels.email]\nhost = \"mail.example\"\nfrom = \"t@example.org\"\n";
    let anna = "name = \"Anna\"\ncontacts = [{ id = \"mail\", email = \"anna@example.org\" }]";
    let document =
        config(&keeper.url(), "\"127.0.0.1\"").replace("[channels.webhook]", &format!("{mail}[channels.webhook]"));
    let document = document
        .replace("name = \"Anna\"\n[[people.contacts]]\nid = \"bot\"\nwebhook = \"https://bot.invalid/y\"", anna);
    let house = House::with(&document, None);
    house.account("v", Role::Viewer, None);
    keeper.says("200 OK", &text);
    assert_eq!(fetch(&house, &keeper.url()).await, 0);
    let roster = house.app.runtime.config().rosters[&"duty".into()].clone();
    let (from, until) = (shared::Timestamp::from_ms(1_770_000_000_000), shared::Timestamp::from_ms(1_780_000_000_000));
    let shifts = engine::oncall::shifts(&roster.between(from, until));
    let mut told: Vec<(i64, i64, String)> =
        shifts.into_iter().map(|(from, duty)| (from.ms(), duty.until.ms(), duty.person.to_string())).collect();
    told.sort();
    assert_eq!(told, expected, "{text}");
}

#[actix_web::test]
async fn each_good_copy_is_heard_by_the_engine_and_a_failure_says_why() {
    let keeper = Keeper::new();
    let (mut house, url) = (house(&keeper), keeper.url());
    let pulse = |house: &House| {
        let found = house.store(|store: &mut Store| store.restore(clock::now())).unwrap().pulses;
        found.into_iter().find(|it| it.heartbeat.as_str() == "calendar:duty:theirs")
    };
    keeper.says("500 Internal Server Error", "");
    fetch(&house, &url).await;
    let never = pulse(&house).unwrap();
    assert_eq!((never.last_at, never.due, never.note.as_str()), (None, None, "it answered 500"));
    keeper.says("200 OK", &on_call("Anna"));
    fetch(&house, &url).await;
    let heard = pulse(&house).unwrap();
    let last = heard.last_at.unwrap();
    assert_eq!((heard.due, heard.note.as_str()), (Some(last.after(calendars::OLD)), ""), "missed a day later");
    // That it could not be fetched again moves nothing, a restart forgets nothing.
    keeper.says("404 Not Found", "");
    fetch(&house, &url).await;
    house.restart();
    let after = pulse(&house).unwrap();
    assert_eq!((after.last_at, after.note.as_str()), (Some(last), "it answered 404"));
}
