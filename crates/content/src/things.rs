//! The inventory of all roots, put together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use engine::context::{Asset, AssetKind, Things};
use model::Diagnostic;

use crate::catalogue::Catalogue;
use crate::inventory::{NamedList, Parsed, Table, resolve};
use crate::root::{ContentFile, Root};

/// What inventory files hold, while they are read in the order of roots and names.
#[derive(Default)]
pub(crate) struct Gathered {
    is_embedded: Vec<bool>,
    lists: BTreeMap<String, NamedList>,
    assets: BTreeMap<(AssetKind, String), (usize, Asset)>,
    others: Things,
    tables: Vec<(ContentFile, Table)>,
    texts: BTreeMap<String, (ContentFile, String)>,
    wrong: Vec<Diagnostic>,
}

impl Gathered {
    /// Nothing yet, of these roots.
    pub(crate) fn of(roots: &[Root]) -> Gathered {
        Gathered { is_embedded: roots.iter().map(Root::is_embedded).collect(), ..Gathered::default() }
    }

    /// Takes one file. A later root's list replaces one of the same name, and so does its asset one of the same kind and id.
    pub(crate) fn take(&mut self, file: &ContentFile, parsed: Parsed, table: Option<String>) {
        for mut list in parsed.lists {
            list.kept.file.clone_from(&file.name);
            self.lists.insert(list.name.clone(), list);
        }
        self.take_things(file, parsed.things);
        self.tables.extend(parsed.tables.into_iter().map(|table| (file.clone(), table)));
        if let Some(text) = table {
            self.texts.insert(file.name.clone(), (file.clone(), text));
        }
    }

    fn take_things(&mut self, file: &ContentFile, things: Things) {
        for mut asset in things.assets {
            asset.kept.file.clone_from(&file.name);
            let key = (asset.kind, asset.id.clone());
            if let Some((root, other)) = self.assets.get(&key)
                && *root == file.root
            {
                let message =
                    format!("{} `{}` stands in {}:{} too", key.0.as_str(), key.1, other.kept.file, other.kept.line);
                let wrong = Diagnostic::error(asset.kept.line, 0, "duplicate-asset", message, "give each its own `id`");
                self.wrong.push(wrong.in_file(file.name.clone()));
                continue;
            }
            self.assets.insert(key, (file.root, asset));
        }
        for mut change in things.changes {
            change.kept.file.clone_from(&file.name);
            self.others.changes.push(change);
        }
        for mut turn in things.on_call {
            turn.kept.file.clone_from(&file.name);
            self.others.on_call.push(turn);
        }
    }

    fn read_tables(&mut self) {
        let mut read = BTreeSet::new();
        for (map, table) in std::mem::take(&mut self.tables) {
            let name =
                map.name.rsplit_once('/').map_or_else(|| table.file.clone(), |(at, _)| format!("{at}/{}", table.file));
            let Some((file, text)) = self.texts.get(&name).cloned() else {
                let message = format!("there is no file `{}` beside it", table.file);
                let remedy = "name a file that ends with `.csv`, in the same folder";
                self.wrong.push(Diagnostic::error(table.line, 0, "no-file", message, remedy).in_file(map.name));
                continue;
            };
            let (things, wrong) = table.read(&text, &file.name, &map.name);
            self.wrong.extend(wrong);
            self.take_things(&file, things);
            read.insert(name);
        }
        for (name, _) in self.texts.iter().filter(|(name, _)| !read.contains(*name)) {
            let remedy = "write a YAML file beside it with `csv: {file: …, into: assets, columns: {…}}`";
            let wrong = Diagnostic::warning(0, 0, "no-map", "nothing says what its columns are", remedy);
            self.wrong.push(wrong.in_file(name.clone()));
        }
    }

    /// What is built in is an example: it gives way, kind by kind, to what a site says.
    fn drop_examples(&mut self) {
        let is_example = |root: usize| self.is_embedded.get(root).copied().unwrap_or(false);
        let own: BTreeSet<AssetKind> =
            self.assets.values().filter(|(root, _)| !is_example(*root)).map(|(_, asset)| asset.kind).collect();
        self.assets.retain(|(kind, _), (root, _)| !is_example(*root) || !own.contains(kind));
    }

    /// Puts everything into the catalogue; gives every mistake.
    pub(crate) fn finish(mut self, catalogue: &mut Catalogue) -> Vec<Diagnostic> {
        self.read_tables();
        self.drop_examples();
        let assets = self.assets.into_values().map(|(_, asset)| asset).collect();
        let things = Things { assets, ..self.others };
        let resolved = resolve(&self.lists, &things);
        catalogue.inventory = resolved.inventory;
        catalogue.lists = resolved.lists;
        catalogue.things = Arc::new(things);
        self.wrong.extend(resolved.wrong);
        self.wrong
    }
}
