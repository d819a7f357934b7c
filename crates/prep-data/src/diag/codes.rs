//! The codes that reading a source can give.
//!
//! `Error` codes refuse the record: it goes to the rejects. `Warn` codes are
//! notes: the record is kept, and the note is counted and shown with its first
//! place. A code is never reused for something else.

use super::{Code, Level};

macro_rules! codes {
    ($($id:ident $name:literal $level:ident $hint:literal;)+) => {
        $(
            #[doc = concat!("`", $name, "`: ", $hint, ".")]
            pub static $id: Code = Code { code: stringify!($id), name: $name, level: Level::$level, hint: $hint };
        )+
        /// Every code of this table, in order.
        pub static SOURCE_CODES: &[&Code] = &[$(&$id),+];
    };
}

codes! {
    S001 "invalid-utf8" Error "name the encoding, or repair the bytes";
    S002 "blank-row" Warn "nothing to do: a blank line holds no record";
    S003 "ragged-row" Error "give the row as many fields as the header, or choose another delimiter";
    S004 "unclosed-quote" Error "close the quote, or double it if it is part of the text";
    S005 "text-after-quote" Error "double the quotes inside the cell";
    S006 "stray-quote" Warn "nothing to do if the quote is part of the text";
    S007 "lone-carriage-return" Warn "quote the cell if the carriage return is part of the text";
    S008 "record-too-long" Error "split the record; no model reads one that long";
    S009 "empty-side" Error "fill in both sides, or leave the row out";
    S010 "nul-character" Error "remove the NUL characters; the file may be UTF-16 or damaged";
    S011 "spreadsheet-error" Error "mend the formula in the spreadsheet and export again";
    S012 "cell-cut" Warn "look whether the text goes on: a spreadsheet cell ends at 32,767 characters";
    S013 "escaped-control" Warn "export again from a current spreadsheet program, or replace the `_xHHHH_` escapes";
    S014 "json-syntax" Error "mend the JSON at the place named";
    S015 "json-duplicate-key" Error "keep one of the two; readers do not agree on which counts";
    S016 "json-number" Error "write a number that JSON has and a double can hold";
    S017 "lone-surrogate" Error "write the whole surrogate pair, or the character itself";
    S018 "json-too-deep" Error "flatten the value; 128 levels are read";
    S019 "unknown-shape" Error "choose the format, or mend the record";
    S020 "unknown-role" Error "use `user` and `assistant` (or `model`, `system`, `tool`)";
    S021 "no-model-turn" Error "end the conversation with the answer to learn";
    S022 "turn-order" Error "start with a user turn and let the roles take turns";
    S023 "fuzzy-translation" Error "review the translation and remove the `fuzzy` flag";
    S024 "untranslated" Error "translate the unit, or leave it out";
    S025 "obsolete-entry" Error "nothing to do: the entry is no longer in use";
    S026 "language-missing" Error "look for the unit's translation, or choose other languages";
    S027 "field-dropped" Warn "nothing to do: Gemini tuning has no such field";
    S028 "tool-call" Error "give the call a name and a JSON object as its arguments";
    S029 "late-system" Warn "move the instruction before the first user turn";
    S030 "inline-media" Error "upload the file and give its `gs://` address";
    S031 "truncated-input" Error "get the file again: its end is missing";
    S032 "markup" Error "mend the XML at the place named";
    S033 "group-row" Error "give every row of a conversation its group and a role";
    S034 "duplicate-id" Error "give every record its own id";
    S035 "unpaired-id" Error "look for the record of the same id in the other file";
    S036 "po-syntax" Error "mend the entry at the place named; `msgfmt -c` checks the whole file";
    S037 "system-replaced" Warn "ask for no system instruction to keep those of the source";
    S038 "turns-merged" Warn "nothing to do: rows of one speaker in a row became parts of one turn";
    S039 "trailing-turn" Error "nothing to do: no answer follows, so there is nothing to learn";
    S040 "other-translation" Warn "nothing to do if the first one is right; otherwise keep one `<tuv>` for the language";
    S041 "json-separator" Warn "put one comma between two elements of the array; none of them is lost";
    S042 "formula-without-value" Warn "open the workbook in a spreadsheet program and save it, so that values are stored";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_and_names_are_unique() {
        let codes: BTreeSet<_> = SOURCE_CODES.iter().map(|code| code.code).collect();
        let names: BTreeSet<_> = SOURCE_CODES.iter().map(|code| code.name).collect();
        assert_eq!(
            (codes.len(), names.len()),
            (SOURCE_CODES.len(), SOURCE_CODES.len())
        );
    }
}
