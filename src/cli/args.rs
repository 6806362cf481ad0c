//! The arguments as given, without effects; what they mean is decided by the subcommands.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::emit::Format;
use crate::report::page::SortKey;
use crate::report::service::Granularity;

/// Recompute AWS last accessed reports from CloudTrail logs, offline.
///
/// Exit codes: 0 complete; 1 report written, but something could not be read; 2 no report, or one
/// that failed as AWS's would; 130 interrupted. SOURCE_DATE_EPOCH sets the dates of the report's
/// job.
#[derive(Debug, Parser)]
#[command(name = "trailfold", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Compute a last accessed report
    #[command(subcommand)]
    Report(Report),
    /// Fold logs into a rollup, from which reports of any days are made without reading logs again
    Rollup(Box<RollupArgs>),
    /// Answer as IAM does: reports for the AWS CLI, boto3, every SDK, and a browser
    #[cfg(feature = "serve")]
    Serve(Box<ServeArgs>),
    /// Check the integrity of log files with CloudTrail's digests, offline
    Verify(VerifyArgs),
    /// Print the event behind a line of a report, in full, and those that came next
    Explain(Box<ExplainArgs>),
    /// Look at a snapshot of an organization
    #[command(subcommand)]
    Organization(Organization),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page (troff)
    Man,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Report {
    /// The report of GetOrganizationsAccessReport: services that policies allow, and who used them
    /// last
    Organizations(Box<OrganizationsArgs>),
    /// The report of GetServiceLastAccessedDetails: services that the policies of a user, group,
    /// role or policy allow, and who used them last
    Service(Box<ServiceArgs>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Organization {
    /// Print the tree with its accounts and policies
    Tree {
        /// A snapshot: organization.json, a directory of AWS CLI replies, or a PMapper organization
        /// directory
        #[arg(value_hint = ValueHint::AnyPath)]
        snapshot: PathBuf,
    },
    /// Write a snapshot of any form as one organization.json
    Snapshot {
        /// A snapshot: organization.json, a directory of AWS CLI replies, or a PMapper organization
        /// directory
        #[arg(value_hint = ValueHint::AnyPath)]
        snapshot: PathBuf,
        /// Write to FILE instead of standard output
        #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct OrganizationsArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// Snapshot of the organization: organization.json, a directory of AWS CLI replies, or a PMapper
    /// organization directory [default: the accounts seen in the logs, no policy applied]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath, help_heading = "Report")]
    pub(crate) organization: Option<PathBuf>,

    /// Entity to report on: o-…/r-…[/ou-…]…[/ACCOUNT] [default: the organization's root]
    #[arg(long, value_name = "PATH", help_heading = "Report")]
    pub(crate) entity_path: Option<String>,

    /// Report on the root, every unit and every account (not with --entity-path, --max-items,
    /// --marker)
    #[arg(
        long,
        conflicts_with_all = ["entity_path", "max_items", "marker"],
        help_heading = "Report"
    )]
    pub(crate) all_entities: bool,

    /// Report on one service control policy: p-… (needs --organization)
    #[arg(
        long,
        visible_alias = "organizations-policy-id",
        value_name = "ID",
        requires = "organization",
        help_heading = "Report"
    )]
    pub(crate) policy_id: Option<String>,

    /// With --policy-id, let an attachment above the entity count as well
    #[arg(long, requires = "policy_id", help_heading = "Report")]
    pub(crate) policy_attached_above: bool,

    /// Print Region us-east-1 on an unused iam row, as AWS does
    #[arg(long, help_heading = "Report")]
    pub(crate) unused_iam_region: bool,

    /// Order of the services
    #[arg(
        long,
        value_name = "KEY",
        default_value = SortKey::ServiceNamespaceAscending.name(),
        value_parser = PossibleValuesParser::new(SortKey::ALL.map(SortKey::name)),
        ignore_case = true,
        help_heading = "Report"
    )]
    pub(crate) sort_key: String,

    /// Print at most N services, 1 to 1000 [default: all]
    #[arg(long, value_name = "N", help_heading = "Report")]
    pub(crate) max_items: Option<usize>,

    /// Go on where the report with this Marker was cut off
    #[arg(long, value_name = "TEXT", help_heading = "Report")]
    pub(crate) marker: Option<String>,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ServiceArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// Snapshot of users, groups, roles and policies: a reply of `aws iam
    /// get-account-authorization-details`, or a directory of them (several accounts, several pages)
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath, help_heading = "Report")]
    pub(crate) identities: PathBuf,

    #[command(flatten)]
    pub(crate) whom: Whom,

    /// Services alone, or their tracked actions as well
    #[arg(
        long,
        value_name = "LEVEL",
        default_value = Granularity::ServiceLevel.name(),
        value_parser = PossibleValuesParser::new(Granularity::ALL.map(Granularity::name)),
        ignore_case = true,
        help_heading = "Report"
    )]
    pub(crate) granularity: String,

    /// Report who used this service (GetServiceLastAccessedDetailsWithEntities): s3, … (not with
    /// --granularity)
    #[arg(long, value_name = "NAMESPACE", conflicts_with = "granularity", help_heading = "Report")]
    pub(crate) service_namespace: Option<String>,

    /// Print at most N services, or users and roles, 1 to 1000 [default: all]
    #[arg(long, value_name = "N", help_heading = "Report")]
    pub(crate) max_items: Option<usize>,

    /// Go on where the report with this Marker was cut off
    #[arg(long, value_name = "TEXT", help_heading = "Report")]
    pub(crate) marker: Option<String>,

    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Whose reports.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Whom {
    /// User, group, role or policy to report on
    #[arg(long, value_name = "ARN", help_heading = "Report")]
    pub(crate) arn: Option<String>,

    /// Report on every user, group, role and policy of the snapshot (not with --arn, --max-items,
    /// --marker)
    #[arg(long, conflicts_with_all = ["max_items", "marker"], help_heading = "Report")]
    pub(crate) all_arns: bool,
}

#[cfg(feature = "serve")]
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// Snapshot of the organization: organization.json, a directory of AWS CLI replies, or a PMapper
    /// organization directory [default: the accounts seen in the logs, no policy applied]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath, help_heading = "Report")]
    pub(crate) organization: Option<PathBuf>,

    /// Snapshot of users, groups, roles and policies: a reply of `aws iam
    /// get-account-authorization-details`, or a directory of them [default: no reports on them]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath, help_heading = "Report")]
    pub(crate) identities: Option<PathBuf>,

    /// In reports on a policy, let an attachment above the entity count as well
    #[arg(long, help_heading = "Report")]
    pub(crate) policy_attached_above: bool,

    /// Give Region us-east-1 on an unused iam row, as AWS does
    #[arg(long, help_heading = "Report")]
    pub(crate) unused_iam_region: bool,

    /// Listen at this address and port; port 0 is any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", help_heading = "Endpoint")]
    pub(crate) listen: String,

    /// Let --listen name an address that other machines reach
    #[arg(long, help_heading = "Endpoint")]
    pub(crate) allow_remote: bool,

    /// Answer to this name as well, beside localhost and addresses (may come several times)
    #[arg(long, value_name = "NAME", help_heading = "Endpoint")]
    pub(crate) allow_host: Vec<String>,

    /// Answer only requests that are signed with a key of FILE, which is like ~/.aws/credentials;
    /// then there are no pages for browsers
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Endpoint")]
    pub(crate) credentials: Option<PathBuf>,

    /// Pass on other operations of IAM to this endpoint: http://127.0.0.1:5000
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, help_heading = "Endpoint")]
    pub(crate) forward: Option<String>,

    /// Keep jobs in DIR, so that they outlive the program
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Endpoint")]
    pub(crate) state: Option<PathBuf>,

    /// Keep a job in progress for so long (500ms, 5s, 1m), as AWS's are
    #[arg(long, value_name = "LENGTH", default_value = "0s", help_heading = "Endpoint")]
    pub(crate) job_time: String,

    /// Write what was read and what was not into FILE, as JSON, before the first answer: a member
    /// for each kind of report
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub(crate) coverage: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) verbosity: VerbosityArgs,
}

#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// Logs: files, directories, patterns, or - for standard input; rollups
    #[arg(
        required_unless_present = "files_from",
        value_name = "INPUT",
        value_hint = ValueHint::AnyPath
    )]
    pub(crate) inputs: Vec<OsString>,

    /// Read also the files that FILE (or - for standard input) lists: a line a path, or a JSON
    /// object with Path and, as a listing of objects gave them, Source, Size, LastModified, ETag
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Run")]
    pub(crate) files_from: Option<PathBuf>,

    /// Count events after this instant (2026-01-31T12:00:00Z), or from the start of this day on
    /// (2026-01-31, UTC)
    #[arg(long, value_name = "TIME", conflicts_with = "tracking_period", help_heading = "Period")]
    pub(crate) since: Option<String>,

    /// Count events up to and with this instant, or to the end of this day (UTC)
    #[arg(long, value_name = "TIME", help_heading = "Period")]
    pub(crate) until: Option<String>,

    /// Count so many days (400d), hours (36h) or weeks (8w) back from --until, or from the newest
    /// access
    #[arg(long, value_name = "LENGTH", help_heading = "Period")]
    pub(crate) tracking_period: Option<String>,

    #[command(flatten)]
    pub(crate) attribution: AttributionArgs,

    #[command(flatten)]
    pub(crate) integrity: IntegrityArgs,

    /// Services and actions from a folder of AWS's service reference files
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Report")]
    pub(crate) catalog: Option<PathBuf>,

    /// Read with N threads [default: one a core]
    #[arg(long, value_name = "N", help_heading = "Run")]
    pub(crate) threads: Option<NonZeroUsize>,

    /// End without a report if the accesses take more than so many bytes of memory (500MB, 8GB)
    #[arg(long, value_name = "SIZE", default_value = "4GB", help_heading = "Run")]
    pub(crate) memory: String,

    /// Write a report even if not a single access was read
    #[arg(long, help_heading = "Run")]
    pub(crate) allow_empty: bool,
}

/// Whether only what is proven counts.
#[derive(Debug, Default, Args)]
pub(crate) struct IntegrityArgs {
    /// Read only log files that CloudTrail's digests among the inputs prove, as `trailfold verify` says,
    /// and set aside all others (not with --files-from)
    #[arg(
        long,
        requires = "public_keys",
        conflicts_with = "files_from",
        help_heading = "Integrity"
    )]
    pub(crate) verified_only: bool,

    /// With --verified-only: replies of `aws cloudtrail list-public-keys`, in a file or a directory
    #[arg(
        long,
        requires = "verified_only",
        value_name = "FILE",
        value_hint = ValueHint::AnyPath,
        help_heading = "Integrity"
    )]
    pub(crate) public_keys: Vec<PathBuf>,

    /// With --verified-only: replies of `aws s3api head-object` for digests, in a file or a directory
    #[arg(
        long,
        requires = "verified_only",
        value_name = "PATH",
        value_hint = ValueHint::AnyPath,
        help_heading = "Integrity"
    )]
    pub(crate) signatures: Option<PathBuf>,
}

/// Which kinds of records count.
#[derive(Debug, Default, Args)]
pub(crate) struct AttributionArgs {
    /// Count records of a kind that is set aside by default
    #[arg(long, value_name = "KIND", value_enum, help_heading = "Attribution")]
    pub(crate) count: Vec<Kind>,

    /// Set aside records of a kind that counts by default
    #[arg(long, value_name = "KIND", value_enum, help_heading = "Attribution")]
    pub(crate) set_aside: Vec<Kind>,
}

#[derive(Debug, Args)]
#[group(id = "destination", required = true, multiple = false, args = ["into", "partial", "compact"])]
pub(crate) struct RollupArgs {
    /// Logs: files, directories or patterns; with --merge partial streams (or -) and rollups; with
    /// --compact the rollup
    #[arg(required_unless_present = "files_from", value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub(crate) inputs: Vec<OsString>,

    /// Add to the rollup in DIR, which is made if it is not there: whole or not at all
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Output")]
    pub(crate) into: Option<PathBuf>,

    /// Write one Arrow stream, to be merged elsewhere, to standard output or --output
    #[arg(long, help_heading = "Output")]
    pub(crate) partial: bool,

    /// Write the stream to FILE, whole or not at all
    #[arg(
        short,
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        conflicts_with_all = ["into", "compact"],
        help_heading = "Output"
    )]
    pub(crate) output: Option<PathBuf>,

    /// Make one part of each day of the rollup, and remove what nobody needs any more
    #[arg(long, conflicts_with_all = ["merge", "files_from", "count", "set_aside", "memory", "threads"], help_heading = "Output")]
    pub(crate) compact: bool,

    /// Join partial streams and rollups instead of reading logs
    #[arg(long, conflicts_with_all = ["files_from", "count", "set_aside", "memory", "threads"], help_heading = "Run")]
    pub(crate) merge: bool,

    /// Read also the files that FILE (or - for standard input) lists: a line a path, or a JSON
    /// object with Path and, as a listing of objects gave them, Source, Size, LastModified, ETag
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Run")]
    pub(crate) files_from: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) attribution: AttributionArgs,

    /// Write what outgrows so many bytes of memory to the disk, and merge it at the end (64MB, 2GB)
    #[arg(long, value_name = "SIZE", default_value = "512MB", help_heading = "Run")]
    pub(crate) memory: String,

    /// Read with N threads [default: one a core]
    #[arg(long, value_name = "N", help_heading = "Run")]
    pub(crate) threads: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(crate) verbosity: VerbosityArgs,
}

/// Check that log files are as CloudTrail delivered them, as `aws cloudtrail validate-logs` does, in a
/// dump on disk.
///
/// Exit codes: 0 every digest and log file is valid, and no time lies between them; 1 something is
/// altered, missing, moved, listed by no digest or not verified; 2 nothing was verified: no digest, no
/// key, unreadable keys or signatures.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The dump: log files and digests in files, directories or patterns
    #[arg(required = true, value_name = "INPUT", value_hint = ValueHint::AnyPath)]
    pub(crate) inputs: Vec<OsString>,

    /// Replies of `aws cloudtrail list-public-keys`, for the times and Regions of the digests: a file
    /// of one or many, or a directory of such files; more than once if you like
    #[arg(
        long,
        required = true,
        value_name = "FILE",
        value_hint = ValueHint::AnyPath,
        help_heading = "Keys"
    )]
    pub(crate) public_keys: Vec<PathBuf>,

    /// Replies of `aws s3api head-object` for digests, which hold their signatures: a file of one or
    /// many, or a directory of files named after the digests. Without them the newest digest of every
    /// trail and Region is not verified, nor are the log files that it lists
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath, help_heading = "Keys")]
    pub(crate) signatures: Option<PathBuf>,

    /// Form of the results: a line for each file that is not valid (with -v for every file) and
    /// totals, or everything as JSON
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        value_enum,
        default_value_t = TextOrJson::Text,
        help_heading = "Output"
    )]
    pub(crate) format: TextOrJson,

    /// Write the results to FILE, whole or not at all, instead of standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,

    /// Read with N threads [default: one a core]
    #[arg(long, value_name = "N", help_heading = "Run")]
    pub(crate) threads: Option<NonZeroUsize>,

    #[command(flatten)]
    pub(crate) verbosity: VerbosityArgs,
}

/// A form of results, for people or for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TextOrJson {
    /// Lines
    Text,
    /// One JSON document
    Json,
}

/// Print the event that decides a line of a report, with the file that it was read from, and those
/// that came next.
///
/// A report with --details, or as columns, names the source of every attempt: that file alone is
/// enough to see its event. All logs of the report show what else there was.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,

    /// The acting account
    #[arg(long, value_name = "ID", help_heading = "Line")]
    pub(crate) account: String,

    /// The service: s3, …
    #[arg(long, value_name = "NAMESPACE", help_heading = "Line")]
    pub(crate) service: String,

    /// One action of the service: GetObject, …
    #[arg(long, value_name = "NAME", help_heading = "Line")]
    pub(crate) action: Option<String>,

    /// Who acted: an ARN or unique id as reports name it; with --identities also a group, or a policy
    /// [default: the whole account]
    #[arg(long, value_name = "ARN", help_heading = "Line")]
    pub(crate) principal: Option<String>,

    /// Snapshot of users, groups, roles and policies, which says whose accesses are the principal's,
    /// as in `report service`
    #[arg(
        long,
        value_name = "PATH",
        value_hint = ValueHint::AnyPath,
        requires = "principal",
        help_heading = "Line"
    )]
    pub(crate) identities: Option<PathBuf>,

    /// Show so many attempts that came next
    #[arg(long, value_name = "N", default_value = "5", help_heading = "Output")]
    pub(crate) runners_up: usize,

    /// Lines, or one JSON document with all records in full
    #[arg(
        long,
        value_name = "FORMAT",
        value_enum,
        default_value_t = TextOrJson::Text,
        help_heading = "Output"
    )]
    pub(crate) format: TextOrJson,

    /// Write to FILE instead of standard output: whole or not at all
    #[arg(
        short,
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        help_heading = "Output"
    )]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) verbosity: VerbosityArgs,
}

/// A kind of record for which a user may decide whether it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Calls of AWS services that are logged as the root user (set aside by default)
    RootServiceCalls,
    /// Calls that an AWS service makes with a role's permissions (counted by default)
    ForwardAccess,
    /// Calls by service-linked roles (counted by default)
    ServiceLinkedRoles,
    /// Actions in the console that are no API call (counted by default)
    ConsoleActions,
    /// Successful sign-ins to the console, as service signin (set aside by default)
    ConsoleSignIns,
}

#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// Form of the report
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = Format::Json.name(),
        value_parser = PossibleValuesParser::new(Format::ALL.map(Format::name)),
        help_heading = "Output"
    )]
    pub(crate) format: String,

    /// In JSON, add what AWS does not have: last success, last denial, first attempt, event ids and
    /// their sources (the columnar formats always have them, the table never); with --verified-only,
    /// which times are proven
    #[arg(long, help_heading = "Output")]
    pub(crate) details: bool,

    /// Write the report to FILE, whole or not at all, instead of standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,

    /// Write what was read and what was not to FILE, as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub(crate) coverage: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) verbosity: VerbosityArgs,
}

/// How much is said on standard error.
#[derive(Debug, Args)]
pub(crate) struct VerbosityArgs {
    /// Print nothing but errors
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Run")]
    pub(crate) quiet: bool,

    /// Print every problem and warning in full
    #[arg(short, long, action = ArgAction::SetTrue, help_heading = "Run")]
    pub(crate) verbose: bool,
}
