//! The SARIF that `prep validate` writes, against the schema of the standard,
//! by Python's `jsonschema`; and what else a reviewing tool relies on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod run;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::run::Place;

/// A dataset with something wrong on every line.
const BAD: &[u8] = b"\xef\xbb\xbf{\"contents\":[]}\n\n[1,2]\n{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"ma\xf1ana\"}]}]}\n{\"a\":NaN}\n{\"contents\":[{\"role\":\"user\"";

fn sarif() -> (Place, Value) {
    let place = Place::with("bad set#1.jsonl", BAD);
    let run = place.prep(&["validate", "bad set#1.jsonl", "--format", "sarif"]);
    assert_eq!(run.status.code(), Some(1), "{}", run.stderr);
    let log = serde_json::from_slice(&run.stdout).unwrap();
    place.write("log.sarif", &run.stdout);
    (place, log)
}

#[test]
fn every_result_names_its_rule_and_its_place() {
    let (_place, log) = sarif();
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert!(results.len() >= 6);
    for result in results {
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(rules[index]["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "bad%20set%231.jsonl");
    }
    let bad_byte = results.iter().find(|result| result["ruleId"] == "E006");
    let region = &bad_byte.unwrap()["locations"][0]["physicalLocation"]["region"];
    assert_eq!(
        (region["startLine"].as_u64(), region["startColumn"].as_u64()),
        (Some(4), Some(49))
    );
}

#[test]
fn it_follows_the_schema_of_the_standard() {
    let (place, _) = sarif();
    let schema =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sarif/sarif-2.1.0-rtm.5.json");
    let script = "\
import json, sys
try:
    import jsonschema
except ImportError:
    print('no jsonschema'); sys.exit()
schema, log = (json.load(open(name)) for name in sys.argv[1:])
errors = list(jsonschema.Draft7Validator(schema).iter_errors(log))
print(len(errors), [error.message for error in errors[:3]])
# A schema that accepts everything would accept this.
del log['version']
print(len(list(jsonschema.Draft7Validator(schema).iter_errors(log))))
";
    let python = Command::new("python3")
        .args(["-c", script])
        .arg(schema)
        .arg(place.path("log.sarif"))
        .output();
    let said = python
        .map(|output| String::from_utf8(output.stdout).unwrap())
        .unwrap_or_default();
    if said.is_empty() || said.starts_with("no jsonschema") {
        run::tell("Python with `jsonschema` is not there");
        return;
    }
    assert_eq!(said, "0 []\n1\n");
}
