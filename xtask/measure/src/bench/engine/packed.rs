//! CloudTrail as AWS writes it to S3: gzip files of `{"Records": […]}`.

use std::io::{Read, Write};

use anyhow::Context;
use engine::{Engine, Format, Limits};

use crate::bench::Row;
use crate::bench::engine::contest::corpus_of;
use crate::bench::engine::corpus::{self, Corpus};
use crate::bench::engine::ours::{self, Count};
use crate::bench::engine::race::{Lane, race};
use crate::bench::engine::{Measured, Setting};

/// Records of one file.
const RECORDS: usize = 500;
const GOAL: f64 = 0.7;

/// Watchkeep beside decompression and a parse.
pub fn rows(setting: &Setting) -> anyhow::Result<Measured> {
    let engine = setting.rules.compile(Limits::default()).0;
    let corpus = corpus_of(setting, &engine, "aws_cloudtrail", corpus::cloudtrail(&setting.data)?)?;
    let files = pack(&corpus)?;
    let bytes: usize = files.iter().map(Vec::len).sum();
    let (files, engine) = (&files, &engine);
    // The lanes read the files, not the corpus: it says how many events they hold.
    let mut lanes = [
        Lane::new("libdeflate and sonic-rs parse", |_| parse(files)),
        Lane::new("Watchkeep", |_| detect(engine, files)),
        Lane::new("libdeflate", |_| each_plain(files, |_| Ok(()))),
        Lane::new("zlib-rs", |_| stream(files)),
    ];
    race(&corpus, setting.rounds(), &mut lanes)?;
    let [parse, own, libdeflate, zlib_rs] = &lanes;
    let share = parse.over(own);
    let what = format!("CloudTrail, {} files .json.gz of {RECORDS} records, {} B", files.len(), bytes / files.len());
    let micros = |lane: &Lane<'_>| format!("{:.2} µs", lane.micros());
    let times = format!("{}; {}; {}", micros(libdeflate), micros(parse), micros(own));
    let rows = vec![
        Row::of(format!("{what}: an event in decompression; with a bare parse; Watchkeep"), times, "", None),
        Row::of(
            "decompression by libdeflate, as above; by zlib-rs",
            format!("{}; {}", micros(libdeflate), micros(zlib_rs)),
            "",
            None,
        ),
        Row::of(
            "CloudTrail .json.gz: speed of decompression and a bare parse",
            format!("{:.0} %", share * 100.0),
            format!("≥ {:.0} %", GOAL * 100.0),
            Some(share >= GOAL),
        ),
    ];
    Ok(Measured { rows, bars: None })
}

fn pack(corpus: &Corpus) -> anyhow::Result<Vec<Vec<u8>>> {
    let lines: Vec<&[u8]> = corpus.lines().collect();
    let mut files = Vec::new();
    for records in lines.chunks(RECORDS) {
        let mut file = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        file.write_all(b"{\"Records\":[")?;
        for (at, record) in records.iter().enumerate() {
            file.write_all(if at == 0 { b"" } else { b"," })?;
            file.write_all(record)?;
        }
        file.write_all(b"]}")?;
        files.push(file.finish()?);
    }
    Ok(files)
}

/// By the fastest library there is, with the memory of the last file used again and the size known: nothing but the work itself.
fn each_plain(files: &[Vec<u8>], mut f: impl FnMut(&[u8]) -> anyhow::Result<()>) -> anyhow::Result<u64> {
    let (mut inflate, mut plain) = (libdeflater::Decompressor::new(), Vec::new());
    for file in files {
        let length = file.last_chunk().context("a file of gzip ends with its length")?;
        plain.resize(u32::from_le_bytes(*length) as usize, 0);
        let written = inflate.gzip_decompress(file, &mut plain).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        f(std::hint::black_box(&plain[..written]))?;
    }
    Ok(0)
}

/// By the fastest one that gives a stream.
fn stream(files: &[Vec<u8>]) -> anyhow::Result<u64> {
    let mut plain = Vec::new();
    for file in files {
        plain.clear();
        flate2::bufread::GzDecoder::new(&file[..]).read_to_end(&mut plain)?;
        std::hint::black_box(&plain);
    }
    Ok(0)
}

fn parse(files: &[Vec<u8>]) -> anyhow::Result<u64> {
    each_plain(files, |plain| {
        std::hint::black_box(sonic_rs::from_slice::<sonic_rs::Value>(plain)?);
        Ok(())
    })
}

/// The way of `watchkeep scan`: decompression, frames, records, rules.
fn detect(engine: &Engine, files: &[Vec<u8>]) -> anyhow::Result<u64> {
    let (mut worker, given) = (engine.worker(), ours::given());
    let (mut count, mut buffer) = (Count::default(), vec![0; pipeline::scan::CHUNK_BYTES]);
    for file in files {
        let (_, mut plain) = framing::decompress::open_file(&file[..])?;
        let mut framer = engine.framer(Format::Auto);
        loop {
            let read = plain.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            framer.push(&buffer[..read], &mut |frame| engine.evaluate(&mut worker, frame.bytes, &given, &mut count));
        }
        framer.finish(&mut |frame| engine.evaluate(&mut worker, frame.bytes, &given, &mut count));
    }
    count.check("CloudTrail .json.gz")?;
    Ok(count.pairs)
}
