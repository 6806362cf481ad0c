//! Keys of S3 objects, and what they say.

use super::*;

#[test]
fn a25_the_layout_of_the_bucket_tells_what_is_no_log_of_events() {
    let below = |folder: &str| {
        kind(&format!("dump/AWSLogs/111122223333/{folder}/us-east-1/2026/01/31/file.json.gz"))
    };
    for (folder, expected) in [
        ("CloudTrail", None),
        ("CloudTrail-NetworkActivity", None),
        ("SomethingNew", None),
        ("config", None),
        ("CloudTrail-Digest", Some(SourceReason::Digest)),
        ("CloudTrail-Insight", Some(SourceReason::Insight)),
        ("CloudTrail-Aggregated", Some(SourceReason::Aggregated)),
        ("Config", Some(SourceReason::Config)),
        ("vpcflowlogs", Some(SourceReason::VpcFlowLog)),
        ("elasticloadbalancing", Some(SourceReason::LoadBalancerLog)),
        ("CloudFront", Some(SourceReason::CloudFrontLog)),
        ("WAFLogs", Some(SourceReason::WafLog)),
        ("vpcdnsquerylogs", Some(SourceReason::DnsQueryLog)),
        ("GuardDuty", Some(SourceReason::GuardDuty)),
        ("network-firewall", Some(SourceReason::NetworkFirewallLog)),
        ("globalaccelerator", Some(SourceReason::GlobalAcceleratorLog)),
        ("redshift", Some(SourceReason::RedshiftLog)),
        ("VpcLattice", Some(SourceReason::VpcLatticeLog)),
        ("VerifiedAccess", Some(SourceReason::VerifiedAccessLog)),
        ("BedrockModelInvocationLogs", Some(SourceReason::BedrockLog)),
    ] {
        assert_eq!(below(folder), expected, "{folder}");
    }
}

#[test]
fn a25_only_the_place_behind_the_account_means_something() {
    for (key, expected) in [
        ("AWSLogs/o-abcdef1234/111122223333/Config/a.json.gz", Some(SourceReason::Config)),
        ("/AWSLogs//111122223333/Config/a.json.gz", Some(SourceReason::Config)),
        ("C:\\dump\\AWSLogs\\111122223333\\Config\\a.json.gz", Some(SourceReason::Config)),
        ("AWSLogs/old/AWSLogs/111122223333/Config/a.json.gz", Some(SourceReason::Config)),
        ("a.zip/AWSLogs/111122223333/Config/a.json.gz", Some(SourceReason::Config)),
        ("Config/a.json.gz", None),
        ("Config/AWSLogs/111122223333/CloudTrail/a.json.gz", None),
        ("AWSLogs/Config/111122223333/CloudTrail/a.json.gz", None),
        ("AWSLogs/111122223333/CloudTrail/Config/a.json.gz", None),
        ("AWSLogs/o-abcdef1234/Config/a.json.gz", None),
        ("AWSLogs/O-ABC/111122223333/Config/a.json.gz", None),
        ("AWSLogs/11112222333/Config/a.json.gz", None),
        ("myAWSLogs/111122223333/Config/a.json.gz", None),
        // A file that is called like a folder is a file.
        ("AWSLogs/111122223333/Config", None),
        ("AWSLogs/111122223333", None),
        ("AWSLogs", None),
        ("/", None),
        ("", None),
    ] {
        assert_eq!(kind(key), expected, "{key}");
    }
}

#[test]
fn a25_files_copied_out_of_their_folders_keep_their_kind() {
    for (key, expected) in [
        (
            "111122223333_CloudTrail-Digest_us-east-1_trail_us-east-1_20260131T000000Z.json.gz",
            Some(SourceReason::Digest),
        ),
        (
            "x/111122223333_CloudTrail-Insight_us-east-1_20260131T0000Z_abc.json.gz",
            Some(SourceReason::Insight),
        ),
        (
            "111122223333_CloudTrail-Aggregated_us-east-1_20260131T0000Z_abc.json.gz",
            Some(SourceReason::Aggregated),
        ),
        ("111122223333_CloudTrail_us-east-1_20260131T0000Z_abc.json.gz", None),
        ("111122223333_CloudTrail-NetworkActivity_us-east-1_20260131T0000Z_abc.json.gz", None),
        ("mine_CloudTrail-Digest_us-east-1.json.gz", None),
        ("111122223333_CloudTrail-Digest_/events.json.gz", None),
        ("CloudTrail-Digest.json", None),
    ] {
        assert_eq!(kind(key), expected, "{key}");
    }
}

#[test]
fn the_name_of_a_log_file_tells_account_region_and_time() {
    let name = "111122223333_CloudTrail_eu-west-1_20260115T1005Z_0123456789abcdef.json.gz";
    let time = Time::parse(b"2026-01-15T10:05:00Z").unwrap();
    let expected = LogFile { account: "111122223333", region: "eu-west-1", time };
    assert_eq!(LogFile::of_name(name), Some(expected));
    for other in [
        "",
        "a.json",
        "111122223333_CloudTrail",
        "111122223333_CloudTrail_eu-west-1",
        "111122223333_CloudTrail_eu-west-1_20260115T1005Z.json.gz",
        "111122223333_CloudTrail_eu-west-1_20261315T1005Z_0.json.gz",
        "111122223333_CloudTrail_eu west_20260115T1005Z_0.json.gz",
        "111122223333_CloudTrail-Digest_eu-west-1_20260115T1005Z_0.json.gz",
        "11112222333_CloudTrail_eu-west-1_20260115T1005Z_0.json.gz",
    ] {
        assert_eq!(LogFile::of_name(other), None, "{other}");
    }
}
