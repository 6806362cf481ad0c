//! The dozen fields of a CloudTrail record that decide anything.
