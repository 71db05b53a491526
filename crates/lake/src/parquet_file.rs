//! One Parquet file: rows in, an atomically placed file out; and back.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{MapBuilder, MapFieldNames, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, MapArray, RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use model::{EventId, Lane, SourceId, Time};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::error::io;
use crate::{LakeError, Row};

const ROWS_PER_GROUP: usize = 16_384;
const ROWS_PER_READ: usize = 4096;

/// Writes `rows` to `path`: temporary name, sync, rename, sync of the folder.
pub(crate) fn write(path: &Path, rows: &[Row]) -> Result<(), LakeError> {
    let folder = path.parent().expect("a lake file lies in its day's folder");
    crate::folder::make(folder)?;
    let temporary = path.with_extension("parquet.tmp");
    let file = File::create(&temporary).map_err(io("make", &temporary))?;
    let wrong = |source| LakeError::Parquet { action: "written", path: temporary.clone(), source };
    let mut writer = ArrowWriter::try_new(&file, Arc::new(schema()), Some(properties())).map_err(wrong)?;
    for group in rows.chunks(ROWS_PER_GROUP) {
        writer.write(&batch(group)).map_err(wrong)?;
        writer.flush().map_err(wrong)?;
    }
    writer.close().map_err(wrong)?;
    file.sync_all().map_err(io("sync", &temporary))?;
    fs::rename(&temporary, path).map_err(io("rename", &temporary))?;
    crate::folder::sync(folder)
}

/// Reads every row of the file at `path`, in the order in which they were written.
pub(crate) fn read(path: &Path, each: &mut dyn FnMut(Row)) -> Result<(), LakeError> {
    let wrong = |source| LakeError::Parquet { action: "read", path: path.to_owned(), source };
    let file = File::open(path).map_err(io("open", path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(wrong)?;
    let reader = builder.with_batch_size(ROWS_PER_READ).build().map_err(wrong)?;
    for batch in reader {
        let batch = batch.map_err(|error| wrong(parquet::errors::ParquetError::from(error)))?;
        let columns = Columns::of(&batch, path)?;
        (0..batch.num_rows()).for_each(|at| each(columns.row(at)));
    }
    Ok(())
}

pub(crate) fn properties() -> WriterProperties {
    let level = ZstdLevel::try_new(3).expect("3 is a zstd level");
    WriterProperties::builder().set_compression(Compression::ZSTD(level)).build()
}

fn map_names() -> MapFieldNames {
    MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() }
}

fn schema() -> Schema {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let names = map_names();
    let pair = DataType::Struct(
        vec![Field::new(names.key, DataType::Utf8, false), Field::new(names.value, DataType::Utf8, true)].into(),
    );
    let map = DataType::Map(Arc::new(Field::new(names.entry, pair, false)), false);
    Schema::new(vec![
        Field::new("event_id", DataType::Utf8, false),
        Field::new("source", DataType::Utf8, false),
        Field::new("time", time.clone(), false),
        Field::new("received", time, false),
        Field::new("lane", DataType::Utf8, false),
        Field::new("class_uid", DataType::UInt32, false),
        Field::new("columns", map, false),
        Field::new("raw", DataType::Utf8, false),
    ])
}

fn batch(rows: &[Row]) -> RecordBatch {
    let text =
        |of: &dyn Fn(&Row) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows.iter().map(of))) };
    let time = |of: &dyn Fn(&Row) -> Time| -> ArrayRef {
        let micros = rows.iter().map(|row| of(row).micros());
        Arc::new(TimestampMicrosecondArray::from_iter_values(micros).with_timezone("UTC"))
    };
    let columns: Vec<ArrayRef> = vec![
        text(&|row| row.event_id.to_string()),
        text(&|row| row.source.to_string()),
        time(&|row| row.time),
        time(&|row| row.received),
        text(&|row| row.lane.to_string()),
        Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row.class_uid))),
        Arc::new(map_of(rows)),
        Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.raw.as_str()))),
    ];
    RecordBatch::try_new(Arc::new(schema()), columns).expect("the columns are built to the schema")
}

fn map_of(rows: &[Row]) -> MapArray {
    let mut builder = MapBuilder::new(Some(map_names()), StringBuilder::new(), StringBuilder::new());
    for row in rows {
        for (name, value) in &row.columns {
            builder.keys().append_value(name);
            builder.values().append_value(value);
        }
        builder.append(true).expect("every key has a value");
    }
    builder.finish()
}

struct Columns<'a> {
    event_id: &'a StringArray,
    source: &'a StringArray,
    time: &'a TimestampMicrosecondArray,
    received: &'a TimestampMicrosecondArray,
    lane: &'a StringArray,
    class_uid: &'a UInt32Array,
    columns: &'a MapArray,
    raw: &'a StringArray,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch, path: &Path) -> Result<Columns<'a>, LakeError> {
        let column = |name: &'static str| {
            let missing = move || LakeError::Column { path: PathBuf::from(path), column: name };
            batch.column_by_name(name).ok_or_else(missing).map(|array| (array, missing))
        };
        let text = |name| {
            let (array, missing) = column(name)?;
            array.as_string_opt::<i32>().ok_or_else(missing)
        };
        let time = |name| {
            let (array, missing) = column(name)?;
            array.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(missing)
        };
        let (class_uid, no_class) = column("class_uid")?;
        let (columns, no_columns) = column("columns")?;
        Ok(Columns {
            event_id: text("event_id")?,
            source: text("source")?,
            time: time("time")?,
            received: time("received")?,
            lane: text("lane")?,
            class_uid: class_uid.as_primitive_opt().ok_or_else(no_class)?,
            columns: columns.as_map_opt().ok_or_else(no_columns)?,
            raw: text("raw")?,
        })
    }

    fn row(&self, at: usize) -> Row {
        Row {
            event_id: EventId::parse(self.event_id.value(at)).unwrap_or_else(|| EventId::of(&[])),
            source: SourceId::from(self.source.value(at)),
            time: Time::from_micros(self.time.value(at)),
            received: Time::from_micros(self.received.value(at)),
            lane: Lane::parse(self.lane.value(at)).unwrap_or_default(),
            class_uid: self.class_uid.value(at),
            columns: pairs(&self.columns.value(at)),
            raw: self.raw.value(at).to_owned(),
        }
    }
}

fn pairs(entries: &arrow_array::StructArray) -> BTreeMap<String, String> {
    let keys = entries.column(0).as_string::<i32>();
    let values = entries.column(1).as_string::<i32>();
    (0..entries.len()).map(|at| (keys.value(at).to_owned(), values.value(at).to_owned())).collect()
}
