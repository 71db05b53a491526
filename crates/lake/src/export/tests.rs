use std::fs::File;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};

use super::ParquetExport;

fn written(events: &[Value]) -> RecordBatch {
    let folder = tempfile::tempdir().unwrap();
    let mut export = ParquetExport::create(&folder.path().join("out")).unwrap();
    for event in events {
        export.add("lab", event.to_string().as_bytes()).unwrap();
    }
    let files = export.finish().unwrap();
    assert_eq!(std::fs::read_dir(folder.path().join("out")).unwrap().count(), 1, "the spool is gone");
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&files[0]).unwrap()).unwrap().build().unwrap();
    let batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    batches[0].clone()
}

#[test]
fn objects_are_structs_lists_are_lists_and_what_is_free_is_a_map() {
    let batch = written(&[
        json!({"time": 1, "api": {"operation": "a"}, "resources": [{"uid": "x"}, {"uid": "y", "size": 2}]}),
        json!({"time": 2, "unmapped": {"a": {"b": true}, "c": [1]}}),
    ]);
    assert_eq!(batch.column_by_name("time").unwrap().as_primitive::<Int64Type>().values(), &[1, 2]);
    let api = batch.column_by_name("api").unwrap().as_struct();
    assert_eq!(api.column_by_name("operation").unwrap().as_string::<i32>().value(0), "a");
    assert!(api.is_null(1), "the second has none");
    let resources = batch.column_by_name("resources").unwrap().as_list::<i32>();
    let first = resources.value(0);
    assert_eq!(first.as_struct().column_by_name("uid").unwrap().as_string::<i32>().value(1), "y");
    assert!(resources.is_null(1));
    let unmapped = batch.column_by_name("unmapped").unwrap().as_map().value(1);
    let (keys, values) = (unmapped.column(0).as_string::<i32>(), unmapped.column(1).as_string::<i32>());
    let pairs: Vec<(&str, &str)> = (0..2).map(|at| (keys.value(at), values.value(at))).collect();
    assert_eq!(pairs, [("a.b", "true"), ("c", "[1]")]);
}

#[test]
fn kinds_that_differ_from_event_to_event_lose_nothing() {
    let batch = written(&[json!({"v": 1, "n": 1}), json!({"v": {"a": 1}, "n": 1.5}), json!({"v": "text"})]);
    let values = batch.column_by_name("v").unwrap().as_string::<i32>();
    assert_eq!((0..3).map(|at| values.value(at)).collect::<Vec<_>>(), ["1", "{\"a\":1}", "text"]);
    let numbers = batch.column_by_name("n").unwrap().as_primitive::<arrow_array::types::Float64Type>();
    assert_eq!((numbers.value(0), numbers.value(1), numbers.is_null(2)), (1.0, 1.5, true));
}

#[test]
fn many_events_go_through_in_batches() {
    let folder = tempfile::tempdir().unwrap();
    let mut export = ParquetExport::create(folder.path()).unwrap();
    for n in 0..(super::ROWS_PER_BATCH * 2 + 5) {
        export.add("lab", json!({"n": n}).to_string().as_bytes()).unwrap();
    }
    let files = export.finish().unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&files[0]).unwrap()).unwrap().build().unwrap();
    let rows: usize = reader.map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, super::ROWS_PER_BATCH * 2 + 5);
}

#[test]
fn what_is_no_json_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut export = ParquetExport::create(folder.path()).unwrap();
    assert!(export.add("lab", b"{").is_err());
}
