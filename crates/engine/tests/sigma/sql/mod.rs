//! Rules as queries: a database that is lent the functions gives the events that the engine gives. DuckDB, which has the functions in SQL,
//! is asked in `conformance/interop`.

mod conformance;
mod lent;
mod properties;
mod refused;
mod repository;
mod statements;
