//! The licence of a folder of rules, from its licence file.

use std::path::{Path, PathBuf};

const NAMES: [&str; 5] = ["LICENSE", "LICENSE.md", "LICENSE.txt", "LICENCE", "COPYING"];

/// Marks in a licence's text, and its SPDX name (DRL-1.1: the Detection Rule License of SigmaHQ).
const MARKS: [(&str, &str); 7] = [
    ("Detection Rule License (DRL) 1.1", "DRL-1.1"),
    ("Detection Rule License (DRL) 1.0", "DRL-1.0"),
    ("Apache License", "Apache-2.0"),
    ("MIT License", "MIT"),
    ("Permission is hereby granted, free of charge", "MIT"),
    ("GNU GENERAL PUBLIC LICENSE", "GPL"),
    ("Redistribution and use in source and binary forms", "BSD"),
];

/// A licence file and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LicenseFile {
    pub(super) path: PathBuf,
    pub(super) name: &'static str,
}

/// The licence file of `folder` or of the three folders above it.
pub(super) fn detect(folder: &Path) -> Option<LicenseFile> {
    let absolute = folder.canonicalize().ok()?;
    let candidates = absolute.ancestors().take(4).flat_map(|above| NAMES.map(|name| above.join(name)));
    for path in candidates {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if let Some((_, name)) = MARKS.iter().find(|(mark, _)| text.contains(mark)) {
            return Some(LicenseFile { path, name });
        }
    }
    None
}
