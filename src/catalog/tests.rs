//! Lookups in the embedded catalogue.

use super::event::{host, without_version};
use super::*;

fn service(namespace: &str) -> ServiceIndex {
    Catalog::embedded().find(namespace).expect(namespace)
}

/// The namespace of an event's service.
fn namespace(source: &str, name: &str, service_namespace: Option<&str>) -> Option<&'static str> {
    let catalog = Catalog::embedded();
    let index = catalog.service_of(source, name, service_namespace)?;
    Some(&catalog.service(index).namespace)
}

/// The actions of an event, `namespace:name`, parted by blanks.
fn actions(source: &str, name: &str, service_namespace: Option<&str>) -> String {
    let catalog = Catalog::embedded();
    let found = catalog.actions_of(source, name, service_namespace);
    let names = found.iter().map(|(index, action)| {
        let namespace = &catalog.service(*index).namespace;
        format!("{namespace}:{}", catalog.actions(*index)[*action].name)
    });
    names.collect::<Vec<_>>().join(" ")
}

/// The ARN patterns of an action.
fn patterns(namespace: &str, action: &str) -> Vec<&'static str> {
    let catalog = Catalog::embedded();
    match &catalog.action(service(namespace), action).unwrap().resources {
        Resources::Patterns(patterns) => patterns.iter().map(|it| catalog.pattern(*it)).collect(),
        other => panic!("{namespace}:{action} has {other:?}"),
    }
}

#[test]
fn c1_the_embedded_catalogue_is_as_large_as_what_it_was_made_of() {
    let catalog = Catalog::embedded();
    assert_eq!(catalog.services().len(), 469);
    assert_eq!(catalog.listed().len(), 456);
    let all = || catalog.indexed_services().flat_map(|(index, _)| catalog.actions(index));
    assert_eq!(all().count(), 22_321);
    assert_eq!(all().filter(|action| action.tracked).count(), 9_807);
    assert_eq!(catalog.version(), "services 2026-09-27, service reference 2026-02-13");
    assert_eq!(catalog.date(), "2026-09-27");
}

#[test]
fn c1_services_have_the_names_that_aws_prints() {
    let catalog = Catalog::embedded();
    for (namespace, name, listed) in [
        ("s3", "Amazon S3", true),
        ("ec2", "Amazon EC2", true),
        ("cloudformation", "AWS CloudFormation", true),
        ("deeplens", "AWS DeepLens", false),
    ] {
        let found = catalog.service(service(namespace));
        assert_eq!((found.name.as_str(), found.listed), (name, listed));
        assert_eq!(catalog.listed().contains(service(namespace)), listed);
    }
}

#[test]
fn c1_services_and_actions_are_sorted_and_found_without_case() {
    let catalog = Catalog::embedded();
    assert!(catalog.services().is_sorted_by(|a, b| a.namespace < b.namespace));
    for (index, service) in catalog.indexed_services() {
        assert_eq!(catalog.find(&service.namespace), Some(index));
        assert_eq!(catalog.find(&service.namespace.to_ascii_uppercase()), Some(index));
        assert!(catalog.actions(index).is_sorted_by(|a, b| a.name < b.name));
        for action in catalog.actions(index) {
            assert_eq!(catalog.action(index, &action.name), Some(action));
            assert_eq!(catalog.action(index, &action.name.to_uppercase()), Some(action));
        }
    }
    assert_eq!(catalog.find("s4"), None);
    assert_eq!(catalog.find(""), None);
    assert_eq!(catalog.action(service("s3"), "GetObjec"), None);
    assert_eq!(catalog.action(service("network-security-manager"), "Get"), None);
}

#[test]
fn s4_actions_have_the_resources_that_aws_publishes() {
    let catalog = Catalog::embedded();
    assert!(patterns("s3", "GetObject").contains(&"arn:*:s3:::*/*"));
    assert!(!patterns("s3", "GetObject").contains(&"arn:*:s3:::*"));
    assert_eq!(patterns("sqs", "SendMessage"), ["arn:*:sqs:*:*:*"]);
    let resources = |namespace: &str, action: &str| {
        catalog.action(service(namespace), action).map(|action| &action.resources)
    };
    assert_eq!(resources("s3", "ListAllMyBuckets"), Some(&Resources::None));
    // A retired service: no reference file describes it.
    let (_, retired) = (service("deeplens"), &catalog.actions(service("deeplens"))[0]);
    assert_eq!(retired.resources, Resources::Unknown);
    // One of its resource types is named and not described.
    assert_eq!(resources("cloudwatch", "TagResource"), Some(&Resources::Unknown));
}

#[test]
fn s8_patterns_hold_no_placeholder_and_all_six_fields() {
    for pattern in &Catalog::embedded().patterns {
        assert!(!pattern.contains("${") && pattern.split(':').count() >= 6, "{pattern}");
    }
}

#[test]
fn s9_a_service_without_published_actions_is_listed_and_has_none() {
    let catalog = Catalog::embedded();
    let index = service("network-security-manager");
    assert!(catalog.service(index).listed);
    assert_eq!(catalog.actions(index), []);
}

#[test]
fn p4_passing_a_role_is_an_untracked_action() {
    assert!(!Catalog::embedded().action(service("iam"), "PassRole").unwrap().tracked);
    assert!(Catalog::embedded().action(service("iam"), "GetUser").unwrap().tracked);
}

#[test]
fn c2_the_namespace_is_not_always_the_first_label() {
    for (source, expected) in [
        ("monitoring.amazonaws.com", "cloudwatch"),
        ("email.amazonaws.com", "ses"),
        ("api.ecr.amazonaws.com", "ecr"),
        ("data.jobs.iot.amazonaws.com", "iotjobsdata"),
        ("s3.amazonaws.com", "s3"),
    ] {
        assert_eq!(namespace(source, "Any", None), Some(expected), "{source}");
    }
}

#[test]
fn c2_sources_of_every_partition_and_odd_spelling_resolve() {
    for source in [
        "monitoring.amazonaws.com.cn",
        "monitoring.c2s.ic.gov",
        "monitoring.amazonaws.eu",
        "MONITORING.AmazonAWS.com",
        " monitoring.amazonaws.com\t\n",
        "monitoring.amazonaws.com.",
        "monitoring",
    ] {
        assert_eq!(namespace(source, "Any", None), Some("cloudwatch"), "{source:?}");
    }
    // The table lacks it, the catalogue has its first label.
    assert_eq!(namespace("lambda.eu-west-1.amazonaws.com", "Any", None), Some("lambda"));
}

#[test]
fn a23_a_source_that_no_namespace_claims_is_unmapped() {
    for source in [
        "",
        " ",
        ".",
        ".amazonaws.com",
        "amazonaws.com",
        "unheard-of.amazonaws.com",
        "https://ec2.amazonaws.com/",
        "é\u{202e}\0.amazonaws.com",
        "💥",
        // In the table, but of a service that AWS no longer names.
        "macie.amazonaws.com",
        "iotthingsgraph.amazonaws.com",
    ] {
        assert_eq!(namespace(source, "GetObject", Some("")), None, "{source:?}");
        assert_eq!(actions(source, "GetObject", None), "", "{source:?}");
    }
}

#[test]
fn c2_application_auto_scaling_is_told_apart() {
    let source = "autoscaling.amazonaws.com";
    for (event, service_namespace, expected) in [
        ("PutScalingPolicy", None, "autoscaling:PutScalingPolicy"),
        ("PutScalingPolicy", Some("ecs"), "application-autoscaling:PutScalingPolicy"),
        ("putscalingpolicy", Some("ecs"), "application-autoscaling:PutScalingPolicy"),
        ("RegisterScalableTarget", None, "application-autoscaling:RegisterScalableTarget"),
        ("TagResource", None, "application-autoscaling:TagResource"),
        ("CreateScalingPlan", None, "autoscaling-plans:CreateScalingPlan"),
        ("CreateAutoScalingGroup", None, "autoscaling:CreateAutoScalingGroup"),
        ("CreateAutoScalingGroup", Some("ecs"), "autoscaling:CreateAutoScalingGroup"),
    ] {
        assert_eq!(actions(source, event, service_namespace), expected, "{event}");
        let (of, _) = expected.split_once(':').unwrap();
        assert_eq!(namespace(source, event, service_namespace), Some(of), "{event}");
    }
}

#[test]
fn c2_events_stand_for_the_actions_that_they_need() {
    for (source, event, expected) in [
        ("s3", "PutBucketCors", "s3:PutBucketCORS"),
        ("s3", "HeadBucket", "s3:ListBucket"),
        ("s3", "WriteGetObjectResponse", "s3-object-lambda:WriteGetObjectResponse"),
        ("s3", "OptionsObject", ""),
        ("kms", "ReEncrypt", "kms:ReEncryptFrom kms:ReEncryptTo"),
        ("kms", "RotateKey", ""),
        ("kafka", "CreateTopic", "kafka-cluster:CreateTopic"),
        ("cloudcontrolapi", "CreateResource", "cloudformation:CreateResource"),
        ("health", "DescribeEvents", "health:DescribeEvents"),
        ("rdsdata", "ExecuteSql", "rds-data:ExecuteSql"),
        ("elasticfilesystem", "NewClientConnection", "elasticfilesystem:ClientMount"),
        // It needs no permission, but IAM tracks it.
        ("sts", "GetCallerIdentity", "sts:GetCallerIdentity"),
        ("signin", "ConsoleLogin", ""),
        // All that its statement might do, a read first.
        (
            "dynamodb",
            "ExecuteStatement",
            "dynamodb:PartiQLSelect dynamodb:PartiQLInsert dynamodb:PartiQLUpdate \
             dynamodb:PartiQLDelete",
        ),
        // An IAM action's name, but console events are service level only.
        ("billingconsole", "GetBillingData", ""),
        ("billing", "GetBillingData", "billing:GetBillingData"),
        ("s3", "https://example.com/", ""),
        ("s3", "", ""),
        ("s3", "*", ""),
    ] {
        let source = format!("{source}.amazonaws.com");
        assert_eq!(actions(&source, event, None), expected, "{source} {event}");
        assert!(namespace(&source, event, None).is_some(), "{source} {event}");
    }
}

#[test]
fn c2_an_api_version_behind_the_name_does_not_count() {
    for (source, event, expected) in [
        ("lambda", "ListFunctions20150331", "lambda:ListFunctions"),
        ("lambda", "UpdateFunctionCode20150331v2", "lambda:UpdateFunctionCode"),
        ("lambda", " GetLayerVersionByArn20181031 ", "lambda:GetLayerVersion"),
        ("cloudfront", "UpdateDistribution2020_05_31", "cloudfront:UpdateDistribution"),
    ] {
        let source = format!("{source}.amazonaws.com");
        assert_eq!(actions(&source, event, None), expected, "{event}");
    }
    for (name, expected) in [
        ("A_20150331", Some("A")),
        ("A__20150331", Some("A_")),
        ("_20150331", Some("_")),
        ("A2015_0331v12", Some("A")),
        ("A20150331v20150331", Some("A")),
        ("A20150331v", None),
        ("A21150331", None),
        ("20150331", None),
        ("A2015033", None),
        ("A2015__03_31", None),
        ("Aé0331", None),
        ("", None),
        ("v1", None),
    ] {
        assert_eq!(without_version(name), expected, "{name}");
    }
}

#[test]
fn c2_an_event_belongs_to_the_service_of_its_first_action() {
    let catalog = Catalog::embedded();
    for source in &catalog.sources {
        for exception in &source.exceptions {
            for service_namespace in [None, Some("ecs")] {
                let event = (source.host.as_str(), exception.event_name.as_str());
                let found = catalog.actions_of(event.0, event.1, service_namespace);
                let service = catalog.service_of(event.0, event.1, service_namespace);
                assert!(found.first().is_none_or(|(of, _)| Some(*of) == service), "{event:?}");
            }
            for (namespace, name) in &exception.actions {
                assert!(catalog.action(service(namespace), name).is_some(), "{namespace}:{name}");
            }
        }
    }
}

#[test]
fn hosts_lose_their_suffix_and_nothing_else() {
    assert_eq!(host("API.ECR.amazonaws.com"), "api.ecr");
    assert_eq!(host("xamazonaws.com"), "xamazonaws.com");
    assert_eq!(host("s3.amazonaws.com.cn"), "s3");
}

#[test]
fn a_table_is_refused_at_its_first_bad_line() {
    let text = "# a\nversion\tv\nservice\ts3\tAmazon S3\tlisted\narn\tarn:*:s3:::*\n+\tGet\t0\n";
    assert_eq!(table::parse(text).map(|catalog| catalog.services.len()), Ok(1));
    for bad in [
        "",
        "service",
        "service\ta\tA\tmaybe",
        "-\tPut\t1",
        "-\tPut\t",
        "-\tPut",
        "-\tPut\t?\t?",
        "event\tPut\talways\ts3:Get",
        "source\ts3\ts3\nevent\tPut\tsometimes\ts3:Get",
        "source\ts3\ts3\nevent\tPut\talways\ts3",
        "sauce\ts3\ts3",
    ] {
        let refused = table::parse(&format!("{text}{bad}\n")).map(|_| ());
        assert_eq!(refused, Err(5 + bad.lines().count().max(1)), "{bad}");
    }
    assert_eq!(table::parse("+\tGet\t?").map(|_| ()), Err(1));
}

#[test]
fn sets_of_services_behave_as_sets() {
    let catalog = Catalog::embedded();
    let all: Vec<ServiceIndex> = catalog.indexed_services().map(|(index, _)| index).collect();
    let of = |keep: &dyn Fn(usize) -> bool| {
        let mut set = ServiceSet::empty(catalog);
        for index in all.iter().filter(|index| keep(index.position())) {
            assert!(set.insert(*index));
            assert!(!set.insert(*index));
        }
        set
    };
    let (even, third) = (of(&|n| n % 2 == 0), of(&|n| n % 3 == 0));
    let mut both = even.clone();
    both.intersect_with(&third);
    assert_eq!(both, of(&|n| n % 6 == 0));
    let mut either = even.clone();
    either.union_with(&third);
    assert_eq!(either, of(&|n| n % 2 == 0 || n % 3 == 0));
    assert_eq!(of(&|_| true).iter().collect::<Vec<_>>(), all);
    assert_eq!(even.len(), even.iter().count());
    assert!(even.iter().is_sorted());
    let mut nothing = even.clone();
    assert!(even.iter().all(|index| nothing.remove(index) && !nothing.remove(index)));
    assert!(nothing.is_empty() && nothing == ServiceSet::empty(catalog) && !even.is_empty());
}
