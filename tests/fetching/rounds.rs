//! Judge, say what is lacking, fetch, judge those again.

use std::collections::BTreeSet;
use std::sync::Mutex;

use smimesync::config::{Config, LogLevel};
use smimesync::error::{Code, Error};
use smimesync::planning::Change;
use smimesync::store::ChangeResult;
use smimesync::sync::{Judge, Observer, Phase, Told, judge_all};
use smimesync::trust::Sources;
use smimesync::validation::Need;

use crate::scene::{Authority, NOW, Scene, crl_at};
use crate::server::{Reply, Server};

/// An event and its parameters.
type Happened = (Code, Vec<(&'static str, String)>);

/// Keeps the events.
#[derive(Default)]
struct Listener {
    events: Mutex<Vec<Happened>>,
    steps: Mutex<usize>,
}

impl Observer for Listener {
    fn begin(&self, _: Phase, _: usize) {}

    fn step(&self) {
        *self.steps.lock().unwrap() += 1;
    }

    fn failed(&self) {}

    fn is_cancelled(&self) -> bool {
        false
    }

    fn cancelled(&self) -> Told<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn event(&self, _: LogLevel, code: Code, parameters: Vec<(&'static str, String)>) -> Told<'_, ()> {
        self.events.lock().unwrap().push((code, parameters));
        Box::pin(std::future::ready(()))
    }

    fn row<'a>(&'a self, _: i64, _: &'a Change, _: Option<ChangeResult>, _: Option<&'a Error>) -> Told<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// Something that needs these places one after the other, and is content when the evidence has as many CRLs.
struct Item {
    places: Vec<Vec<String>>,
    judged: usize,
    crls: usize,
}

impl Item {
    fn new(places: Vec<Vec<String>>) -> Self {
        Self { places, judged: 0, crls: 0 }
    }

    fn judge(judge: &Judge, item: &mut Self) {
        item.judged += 1;
        item.crls = judge.evidence.crls().len();
    }

    fn needs(&self) -> BTreeSet<Need> {
        self.places.get(self.crls).iter().map(|urls| crl_at(urls)).collect()
    }
}

async fn judged(scene: &Scene, items: &mut [Item]) -> Listener {
    let listener = Listener::default();
    let mut judge = Judge::new(&Config::default(), &Sources::default(), NOW).unwrap();
    let mut retriever = scene.run().retriever;
    judge_all(&mut judge, Some(&mut retriever), &listener, items, Item::judge, Item::needs).await.unwrap();
    listener
}

#[tokio::test]
async fn only_who_lacks_something_is_judged_again_in_at_most_three_rounds() {
    let crls: Vec<_> = (1..9).map(|number| Authority::new("A").crl(number, 7)).collect();
    let server = Server::start(move |path| Reply::ok(&crls[path[1..].parse::<usize>().unwrap()]));
    let scene = Scene::new();
    let chain = |length: usize| (0..length).map(|place| vec![server.url(&format!("/{place}"))]).collect();
    let mut items = [Item::new(Vec::new()), Item::new(chain(1)), Item::new(chain(2)), Item::new(chain(8))];
    let listener = judged(&scene, &mut items).await;
    assert_eq!(items.each_ref().map(|item| item.judged), [1, 2, 3, 4]);
    assert_eq!(items[3].crls, 3);
    assert_eq!(server.asked().len(), 3);
    assert_eq!(*listener.steps.lock().unwrap(), items.len());
    assert_eq!(listener.events.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_place_that_failed_is_told_of_once_and_known_to_the_next_verdict() {
    let server = Server::start(|_| Reply::status(404));
    let (scene, url) = (Scene::new(), server.url("/a"));
    let mut items = [0; 5].map(|_| Item::new(vec![vec![url.clone()]]));
    let listener = judged(&scene, &mut items).await;
    assert!(items.iter().all(|item| item.judged == 2), "the second time with the cause");
    let events = listener.events.lock().unwrap();
    let parameters = vec![("url", url), ("cause", "http 404".to_owned())];
    assert_eq!(*events, [(Code::EvidenceUnavailable, parameters)]);
    assert_eq!(server.asked().len(), 1);
}
