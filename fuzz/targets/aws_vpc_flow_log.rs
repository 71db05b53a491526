#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    harness::run("aws_vpc_flow_log", bytes);
});
