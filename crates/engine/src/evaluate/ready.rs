//! One source with all that is made of it before the first record comes.

use std::sync::Arc;

use crate::context::Finder;
use crate::detector::Prompts;
use crate::field::FieldsBuilder;
use crate::finding::Sentence;
use crate::sigma::Program;
use crate::source::plan::Plan;
use crate::source::routing::Routing;
use crate::source::shape::{Names, PairReader};
use crate::source::{Remap, Source};

/// What is said of an event whose source says nothing else.
const SENTENCE: &str = "{actor.user.name} called {api.operation} on {api.service.name} from {src_endpoint.ip}";

/// A source, ready to be used.
#[derive(Debug)]
pub(super) struct Feed {
    pub source: Source,
    pub plan: Plan,
    pub pairs: Vec<PairReader>,
    pub names: Names,
    pub prompts: Option<Prompts>,
    /// Its own program, where the source has one and it was handed over.
    pub remap: Option<Arc<dyn Remap>>,
    pub routing: Routing,
    pub sentence: Sentence,
    pub finder: Finder,
}

impl Feed {
    pub fn new(source: &Source, program: &Program, fields: &mut FieldsBuilder) -> Feed {
        let sentence = Sentence::new(source.sentence.as_deref().unwrap_or(SENTENCE), fields);
        let plan = Plan::compile(source, fields);
        let pairs = source.pairs.iter().map(|pairs| PairReader::compile(pairs, fields)).collect();
        let names = Names::compile(&source.fields, fields);
        let routing = Routing::compile(&source.routes, program, fields);
        let prompts = Prompts::compile(source, fields);
        Feed {
            source: source.clone(),
            plan,
            pairs,
            names,
            prompts,
            remap: None,
            routing,
            sentence,
            finder: Finder::default(),
        }
    }
}
