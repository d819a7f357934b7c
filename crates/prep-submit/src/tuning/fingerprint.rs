//! The identity of a launch: what makes two of them the same.

use sha2::{Digest, Sha256};

use super::spec::{DATASET_LABEL, RUN_LABEL, TuningRequest};

/// A dataset as a launch knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatasetId<'a> {
    /// Where it is: `gs://BUCKET/NAME.jsonl`.
    pub uri: &'a str,
    /// What is in it: a checksum of its bytes. A generation would do as well
    /// for one upload, but the same bytes uploaded again, after a bucket was
    /// cleaned, would then be paid for again.
    pub checksum: &'a str,
}

/// Computes the id of a run: 32 hexadecimal digits, which a label can hold.
///
/// It is a function of where the job is to run, of the bytes of the datasets
/// and of every option, the labels of the run and of the dataset left out, and nothing else: not
/// of the time, the machine or who launches.
#[must_use]
pub fn run_id(
    project: &str,
    location: &str,
    datasets: &[DatasetId<'_>],
    request: &TuningRequest,
) -> String {
    let mut request = request.clone();
    request.labels.remove(RUN_LABEL);
    request.labels.remove(DATASET_LABEL);
    let mut digest = Sha256::new();
    // Each text with its length in front: no two lists of texts are alike.
    let mut add = |text: &[u8]| {
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text);
    };
    add(b"prep-run-1");
    add(project.as_bytes());
    add(location.as_bytes());
    add(&serde_json::to_vec(&request).expect("texts and finite numbers are JSON"));
    for dataset in datasets {
        add(dataset.uri.as_bytes());
        add(dataset.checksum.as_bytes());
    }
    let sum = digest.finalize();
    sum[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::spec::{AdapterSize, Method, Start};
    use super::*;

    fn request() -> TuningRequest {
        let start = Start::Base("gemini-3.5-flash".into());
        let request = TuningRequest::new(start, Method::Supervised, "gs://b/train.jsonl");
        TuningRequest {
            epoch_count: Some(3),
            ..request
        }
    }

    const TRAIN: DatasetId<'_> = DatasetId {
        uri: "gs://b/train.jsonl",
        checksum: "9f2c41d0",
    };

    fn id(request: &TuningRequest) -> String {
        run_id("acme", "us-central1", &[TRAIN], request)
    }

    /// A run of yesterday must be found by the version of tomorrow.
    #[test]
    fn an_id_stays_what_it_was() {
        assert_eq!(id(&request()), "20d0ed68f27cd9603882cf82cc59c4e6");
    }

    #[test]
    fn our_own_labels_do_not_matter() {
        let mut labelled = request().labelled("x");
        labelled.labels.insert(DATASET_LABEL.into(), "y".into());
        assert_eq!(id(&labelled), id(&request()));
    }

    #[test]
    fn whatever_matters_changes_the_id() {
        let base = id(&request());
        let mut ids = vec![base.clone()];
        let changes: [fn(&mut TuningRequest); 8] = [
            |r| r.start = Start::Base("gemini-3.1-flash-lite".into()),
            |r| r.method = Method::Preference { beta: None },
            |r| r.epoch_count = Some(4),
            |r| r.epoch_count = None,
            |r| r.adapter_size = Some(AdapterSize::One),
            |r| r.validation_uri = Some("gs://b/v.jsonl".into()),
            |r| r.export_last_checkpoint_only = true,
            |r| r.labels = [("a".to_owned(), "b".to_owned())].into(),
        ];
        ids.extend(changes.map(|change| {
            let mut request = request();
            change(&mut request);
            id(&request)
        }));
        ids.push(run_id("other", "us-central1", &[TRAIN], &request()));
        ids.push(run_id("acme", "europe-west4", &[TRAIN], &request()));
        let changed = DatasetId {
            checksum: "51ab77e3",
            ..TRAIN
        };
        ids.push(run_id("acme", "us-central1", &[changed], &request()));
        ids.push(run_id("acme", "us-central1", &[], &request()));
        let n = ids.len();
        assert!(ids.iter().all(|id| id.len() == 32));
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), n);
        assert_eq!(id(&request().labelled(&base)), base);
    }
}
