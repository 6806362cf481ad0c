//! What lies beside the logs of a trail's bucket and is no log of calls: digests and insights.
//! Does not know the logs.

use serde_json::{Value, json};

use crate::draw::Draw;
use crate::file::ORGANIZATION;
use crate::world::World;

const DAY: &str = "2026/03/31";

/// Returns path and content of one digest and one file of insights for every account.
pub(crate) fn files(world: &World, seed: u64) -> Vec<(String, Value)> {
    let mut draw = Draw::new(seed, u64::MAX - 3);
    let ids = world.accounts.iter().map(|account| account.id.as_str());
    ids.flat_map(|id| [digest(id, &mut draw), insight(id, &mut draw)]).collect()
}

fn digest(account: &str, draw: &mut Draw) -> (String, Value) {
    let path = format!(
        "AWSLogs/{ORGANIZATION}/{account}/CloudTrail-Digest/us-east-1/{DAY}/{account}_CloudTrail-Digest_us-east-1_trail_us-east-1_20260331T120000Z.json.gz"
    );
    let mut hash = String::new();
    draw.hex(&mut hash, 64);
    let log = json!({
        "s3Bucket": "trail-bucket",
        "s3Object": format!("AWSLogs/{ORGANIZATION}/{account}/CloudTrail/us-east-1/{DAY}/log.json.gz"),
        "hashValue": hash,
        "hashAlgorithm": "SHA-256",
        "newestEventTime": "2026-03-31T11:55:00Z",
        "oldestEventTime": "2026-03-31T11:40:00Z",
    });
    let content = json!({
        "awsAccountId": account,
        "digestStartTime": "2026-03-31T11:00:00Z",
        "digestEndTime": "2026-03-31T12:00:00Z",
        "digestS3Bucket": "trail-bucket",
        "digestSignatureAlgorithm": "SHA256withRSA",
        "previousDigestS3Bucket": null,
        "logFiles": [log],
    });
    (path, content)
}

fn insight(account: &str, draw: &mut Draw) -> (String, Value) {
    let path = format!(
        "AWSLogs/{ORGANIZATION}/{account}/CloudTrail-Insight/us-east-1/{DAY}/{account}_CloudTrail-Insight_us-east-1_20260331T1200Z_{}.json.gz",
        draw.name(16)
    );
    let (mut event, mut shared) = (String::new(), String::new());
    draw.uuid(&mut event);
    draw.uuid(&mut shared);
    let content = json!({"Records": [{
        "eventVersion": "1.08",
        "eventTime": "2026-03-31T11:50:00Z",
        "awsRegion": "us-east-1",
        "eventID": event,
        "eventType": "AwsCloudTrailInsight",
        "recipientAccountId": account,
        "sharedEventID": shared,
        "insightDetails": {
            "state": "Start",
            "eventSource": "ec2.amazonaws.com",
            "eventName": "RunInstances",
            "insightType": "ApiCallRateInsight",
            "insightContext": {"statistics": {"baseline": {"average": 0.02}, "insight": {"average": 9.4}}},
        },
        "eventCategory": "Insight",
    }]});
    (path, content)
}
