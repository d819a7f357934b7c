use serde_json::json;

use super::*;

fn job(body: &Value) -> Result<Value, Refusal> {
    message(Api::V1, "TuningJob", body.to_string().as_bytes())
}

#[test]
fn every_reference_of_the_descriptions_is_there() {
    fn visit(api: Api, schema: &Schema) {
        if let Some(name) = &schema.reference {
            assert!(description(api).schemas.contains_key(name), "{name}");
        }
        let nested = schema.properties.iter().flat_map(BTreeMap::values);
        let nested = nested.chain(schema.items.as_deref());
        for schema in nested.chain(schema.additional_properties.as_deref()) {
            visit(api, schema);
        }
    }
    for api in [Api::V1, Api::V1Beta1, Api::Storage] {
        assert!(description(api).schemas.len() > 3);
        for schema in description(api).schemas.values() {
            visit(api, schema);
        }
    }
}

#[test]
fn either_spelling_of_a_name_is_taken() {
    let expected = json!({"baseModel": "m", "supervisedTuningSpec":
        {"trainingDatasetUri": "u", "hyperParameters": {"epochCount": "3", "learningRateMultiplier": 1}}});
    let cases = [
        json!({"baseModel": "m", "supervisedTuningSpec":
            {"trainingDatasetUri": "u", "hyperParameters": {"epochCount": 3, "learningRateMultiplier": 1}}}),
        json!({"base_model": "m", "supervised_tuning_spec": {"training_dataset_uri": "u",
            "hyper_parameters": {"epoch_count": "3", "learning_rate_multiplier": 1}},
            "state": "JOB_STATE_FAILED", "description": null}),
    ];
    for case in cases {
        assert_eq!(job(&case).unwrap(), expected);
    }
}

#[test]
fn what_is_wrong_is_told_with_its_path() {
    let spec = |key: &str, value: Value| json!({"supervisedTuningSpec": {key: value}});
    let hyper = |key: &str, value: Value| spec("hyperParameters", json!({key: value}));
    let cases = [
        (
            json!({"modell": 1}),
            "",
            "Invalid JSON payload received. Unknown name \"modell\": Cannot find field.",
        ),
        (
            spec("epochs", json!(1)),
            "supervised_tuning_spec",
            "Invalid JSON payload received. Unknown name \"epochs\" at 'supervised_tuning_spec': Cannot find field.",
        ),
        (
            hyper("epochCount", json!("three")),
            "supervised_tuning_spec.hyper_parameters.epoch_count",
            "Invalid value at 'supervised_tuning_spec.hyper_parameters.epoch_count' (TYPE_INT64), \"three\"",
        ),
        (
            hyper("epochCount", json!(1.5)),
            "supervised_tuning_spec.hyper_parameters.epoch_count",
            "Invalid value at 'supervised_tuning_spec.hyper_parameters.epoch_count' (TYPE_INT64), 1.5",
        ),
        (
            hyper("adapterSize", json!("FOUR")),
            "supervised_tuning_spec.hyper_parameters.adapter_size",
            "Invalid value at 'supervised_tuning_spec.hyper_parameters.adapter_size' (TYPE_ENUM), \"FOUR\"",
        ),
        (
            hyper("adapterSize", json!(4)),
            "supervised_tuning_spec.hyper_parameters.adapter_size",
            "Invalid value at 'supervised_tuning_spec.hyper_parameters.adapter_size' (TYPE_ENUM), 4",
        ),
        (
            hyper("learningRateMultiplier", json!(true)),
            "supervised_tuning_spec.hyper_parameters.learning_rate_multiplier",
            "Invalid value at 'supervised_tuning_spec.hyper_parameters.learning_rate_multiplier' (TYPE_DOUBLE), true",
        ),
        (
            spec("exportLastCheckpointOnly", json!("true")),
            "supervised_tuning_spec.export_last_checkpoint_only",
            "Invalid value at 'supervised_tuning_spec.export_last_checkpoint_only' (TYPE_BOOL), \"true\"",
        ),
        (
            json!({"labels": {"a": 1}}),
            "labels[\"a\"]",
            "Invalid value at 'labels[\"a\"]' (TYPE_STRING), 1",
        ),
        (
            json!({"baseModel": "a", "base_model": "a"}),
            "base_model",
            "Invalid value at 'base_model' (oneof), the field is given as \"baseModel\" and as \"base_model\"",
        ),
    ];
    for (body, field, description) in cases {
        let refusal = job(&body).unwrap_err();
        let error = &refusal.rpc()["error"];
        assert_eq!(error["status"], "INVALID_ARGUMENT");
        assert_eq!(error["message"], description);
        let violations = &error["details"][0]["fieldViolations"];
        assert_eq!(
            *violations,
            json!([{"field": field, "description": description}])
        );
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let body = json!({"a": 1, "b": 2, "baseModel": 3});
    let refusal = job(&body).unwrap_err();
    let violations = &refusal.rpc()["error"]["details"][0]["fieldViolations"];
    assert_eq!(violations.as_array().unwrap().len(), 3);
    assert_eq!(refusal.message().lines().count(), 3);
}

#[test]
fn a_name_is_given_once() {
    let refusal = message(
        Api::V1,
        "TuningJob",
        b"{\"baseModel\":\"a\",\"baseModel\":\"b\"}",
    );
    assert!(
        refusal
            .unwrap_err()
            .message()
            .contains("Repeated object key \"baseModel\"")
    );
    assert!(message(Api::V1, "TuningJob", b"{} {}").is_err());
    assert_eq!(message(Api::V1, "TuningJob", b" \n").unwrap(), json!({}));
}
