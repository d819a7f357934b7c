#![no_main]

use prep_data::source::Format;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| prep_fuzz::read_as(Format::Tmx, bytes));
