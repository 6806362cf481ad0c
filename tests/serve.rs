//! `trailfold serve` and the clients of IAM: boto3, the AWS CLI, the SDK for JavaScript, Cloud
//! Custodian. The scripts in `tests/serve` say what must hold.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::python::{self, python};

/// A running server, which ends with this value.
struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: String,
}

impl Server {
    /// Starts the program; it must print its address, once it can be reached.
    #[track_caller]
    fn start<S: Into<OsString>>(arguments: impl IntoIterator<Item = S>) -> Self {
        let mut command = trailfold();
        command.arg("serve").args(arguments.into_iter().map(Into::into));
        Self::of(&mut command)
    }

    #[track_caller]
    fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim_end_matches('\n').to_owned();
        let server = Self { child, stdout, address };
        let port = server.address.strip_prefix("http://127.0.0.1:").unwrap_or_else(|| {
            panic!("{command:?}: no address: `{line}`");
        });
        assert!(port.parse::<u16>().is_ok_and(|port| port != 0), "{line}");
        TcpStream::connect(server.host()).unwrap();
        server
    }

    fn host(&self) -> &str {
        self.address.trim_start_matches("http://")
    }

    /// Ends it with a signal: it must end with this code, and have printed nothing more.
    #[track_caller]
    fn end(mut self, signal: &str, code: i32) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "one line alone is printed");
        assert_eq!(self.child.wait().unwrap().code(), Some(code), "{signal}");
        assert!(TcpStream::connect(self.host()).is_err(), "something still listens");
    }

    /// Sends a request on a connection of its own, and returns all of the reply.
    fn ask(&self, request: &str) -> String {
        let mut connection = TcpStream::connect(self.host()).unwrap();
        connection.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        connection.read_to_string(&mut reply).unwrap();
        reply
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Only where a test failed is it still running; where it ended there is nothing to kill.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A stand-in for the rest of IAM, which ends with this value.
struct Moto {
    child: Child,
    address: String,
}

impl Moto {
    fn start(place: &Path, account: &str) -> Self {
        let said = place.join("moto.txt");
        let mut command = Command::new(python().with_file_name("moto_server"));
        command.args(["-p", "0"]).env("MOTO_ACCOUNT_ID", account).env("PYTHONUNBUFFERED", "1");
        command.stdout(Stdio::null()).stderr(File::create(&said).unwrap());
        let mut child = command.spawn().unwrap();
        let address = loop {
            let text = fs::read_to_string(&said).unwrap();
            let (_, after) = text.split_once("Running on ").unwrap_or_default();
            if let Some((address, _)) = after.split_once('\n') {
                break address.trim().to_owned();
            }
            assert!(child.try_wait().unwrap().is_none(), "moto_server: {text}");
            thread::sleep(Duration::from_millis(50));
        };
        Self { child, address }
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn trailfold() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trailfold"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

const LOGS: [&str; 2] = ["testdata/logs/AWSLogs", "testdata/logs-identities"];
const ORGANIZATION: [&str; 2] = ["--organization", "testdata/organization.json"];
const IDENTITIES: [&str; 2] = ["--identities", "testdata/identities"];

/// The arguments of a server of the made-up organization, and more of them.
fn made_up(more: &[&str]) -> Vec<String> {
    let arguments = [&LOGS[..], &ORGANIZATION, &IDENTITIES, &["-q"], more].concat();
    arguments.into_iter().map(str::to_owned).collect()
}

/// Writes what the program itself reports, to be compared with what a server says.
fn report(file: &Path, kind: &str, logs: &[&str], more: &[&str]) {
    let output = trailfold().args(["report", kind, "-q"]).args(logs).args(more).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::write(file, output.stdout).unwrap();
}

/// Returns a directory of the reports that every script reads.
fn reports() -> TempDir {
    reports_of(&[])
}

/// Returns one of those that the program makes with more arguments.
fn reports_of(more: &[&str]) -> TempDir {
    let place = tempfile::tempdir().unwrap();
    let organizations = [&ORGANIZATION[..], &["--all-entities"], more].concat();
    report(&place.path().join("organizations.jsonl"), "organizations", &LOGS, &organizations);
    for granularity in ["SERVICE_LEVEL", "ACTION_LEVEL"] {
        let granularity = ["--all-arns", "--granularity", granularity];
        let more = [&IDENTITIES[..], &granularity, more].concat();
        report(&place.path().join(format!("{}.jsonl", granularity[2])), "service", &LOGS, &more);
    }
    entities(place.path(), &["lambda"], more);
    place
}

/// Adds the reports on who used services.
fn entities(place: &Path, namespaces: &[&str], more: &[&str]) {
    for namespace in namespaces {
        let namespace_of_all = ["--all-arns", "--service-namespace", namespace];
        let more = [&IDENTITIES[..], &namespace_of_all, more].concat();
        report(&place.join(format!("entities-{namespace}.jsonl")), "service", &LOGS, &more);
    }
    fs::write(place.join("namespaces.txt"), namespaces.join("\n")).unwrap();
}

/// Adds the reports on every policy of the made-up organization.
fn policies(place: &Path) {
    let snapshot = fs::read(testdata("organization.json")).unwrap();
    let snapshot: serde_json::Value = serde_json::from_slice(&snapshot).unwrap();
    let policies = snapshot["Policies"].as_array().unwrap();
    let ids: Vec<&str> = policies.iter().map(|policy| policy["Id"].as_str().unwrap()).collect();
    assert!(ids.len() > 10);
    for id in &ids {
        let more = [&ORGANIZATION[..], &["--all-entities", "--policy-id", id]].concat();
        let file = place.join(format!("organizations{id}.jsonl"));
        report(&file, "organizations", &LOGS, &more);
    }
    fs::write(place.join("policies.txt"), ids.join("\n")).unwrap();
}

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

/// Runs a script of `tests/serve` with an interpreter; it must say `OK`.
#[track_caller]
fn script(interpreter: &mut Command, name: &str, arguments: &[&str]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/serve").join(name);
    python::script(interpreter.arg(path).args(arguments), name);
}

/// Runs a Python script on a server and a directory of reports.
#[track_caller]
fn run(name: &str, server: &Server, reports: &Path, more: &[&str]) {
    let arguments = [&[server.address.as_str(), text(reports)], more].concat();
    script(Command::new(python()).arg("-B"), name, &arguments);
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn o6_o7_o8_o10_i3_i4_i5_boto3_gets_what_the_program_reports() {
    let reports = reports();
    policies(reports.path());
    let namespaces = ["cloudformation", "ec2", "iam", "kms", "lambda", "s3", "sqs"];
    entities(reports.path(), &namespaces, &[]);
    let server = Server::start(made_up(&[]));
    run("reports.py", &server, reports.path(), &[]);
    server.end("TERM", 0);
}

#[test]
fn i1_boto3_lists_the_policies_that_grant_access() {
    let reports = reports();
    let server = Server::start(made_up(&[]));
    run("grants.py", &server, reports.path(), &[text(&testdata("identities"))]);
    server.end("TERM", 0);
}

#[test]
fn o8_o10_o11_i6_boto3_is_refused_with_the_errors_of_iam() {
    let reports = reports();
    let server = Server::start(made_up(&[]));
    run("refusals.py", &server, reports.path(), &[]);
    server.end("INT", 0);
}

#[test]
fn o9_o10_o12_a_job_takes_its_time_and_another_has_to_wait() {
    let reports = reports();
    let server = Server::start(made_up(&["--job-time", "5s"]));
    run("jobs.py", &server, reports.path(), &["5"]);
    server.end("TERM", 0);
}

#[test]
fn jobs_survive_a_restart() {
    let reports = reports();
    let place = tempfile::tempdir().unwrap();
    let (state, answers) = (place.path().join("state"), place.path().join("answers.json"));
    let arguments = made_up(&["--state", text(&state)]);
    let server = Server::start(arguments.clone());
    run("restarted.py", &server, reports.path(), &[text(&answers)]);
    server.end("TERM", 0);
    let mut server = Server::start(arguments.clone());
    run("restarted.py", &server, reports.path(), &[text(&answers)]);
    // Nor does it matter how it ended.
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let server = Server::start(arguments);
    run("restarted.py", &server, reports.path(), &[text(&answers)]);
    server.end("TERM", 0);
}

#[test]
fn who_has_credentials_must_sign_with_them() {
    let reports = reports();
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("credentials");
    fs::write(&file, CREDENTIALS).unwrap();
    let server = Server::start(made_up(&["--credentials", text(&file)]));
    run("signatures.py", &server, reports.path(), &[text(&file)]);
    server.end("TERM", 0);
}

const CREDENTIALS: &str = "\
# A comment
[default]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY

; another
[other]
aws_secret_access_key=je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY
aws_access_key_id=AKIAI44QH8DHBEXAMPLE
region = eu-central-1
[session]
aws_access_key_id = ASIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY
aws_session_token = AQoEXAMPLEH4aoAH0gNCAPyJxz4BlCFFxWNE1OPTgk5TthT+FvwqnKwRcOIfrRh3c/LTo6UDdyJwOOvEVPvLXCrrrUtdnniCEXAMPLE==
";

#[test]
fn the_aws_cli_prints_what_the_program_reports() {
    let reports = reports();
    let server = Server::start(made_up(&[]));
    let aws = python().with_file_name("aws");
    run("command_line.py", &server, reports.path(), &[text(&aws)]);
    server.end("TERM", 0);
}

#[test]
fn the_sdk_for_javascript_gets_what_the_program_reports() {
    let (node, packages) = python::node();
    let period = ["--since", "2025-07-01", "--until", "2026-01-15", "--count", "console-sign-ins"];
    let reports = reports_of(&period);
    let file = reports.path().join("credentials");
    fs::write(&file, "[sdk]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = secret\n")
        .unwrap();
    let credentials = ["--credentials", text(&file)];
    let server = Server::start(made_up(&[&period[..], &credentials].concat()));
    let arguments = [&server.address, text(reports.path()), text(&packages)];
    script(&mut Command::new(node), "sdk.mjs", &arguments);
    server.end("TERM", 0);
}

#[test]
fn cloud_custodian_finds_those_whom_the_reports_name() {
    let custodian = python::custodian();
    let place = tempfile::tempdir().unwrap();
    let moto = Moto::start(place.path(), "210987654321");
    let python = || {
        let mut command = Command::new(python());
        command.arg("-B");
        command
    };
    let forward = ["--forward", &moto.address];
    let server = Server::start([&LOGS[..], &["-q"], &forward].concat());
    let arguments = ["prepare", &server.address, text(place.path())];
    script(&mut python(), "custodian.py", &arguments);
    server.end("TERM", 0);

    let (logs, identities) = (place.path().join("logs"), place.path().join("identities"));
    let input = [text(&logs), "--identities", text(&identities)];
    let reports = place.path().join("reports");
    fs::create_dir(&reports).unwrap();
    report(&reports.join("SERVICE_LEVEL.jsonl"), "service", &input, &["--all-arns"]);
    let server = Server::start([&input[..], &["-q", "--job-time", "1s"], &forward].concat());
    let arguments = ["run", &server.address, text(place.path()), text(&custodian), text(&reports)];
    script(&mut python(), "custodian.py", &arguments);
    server.end("TERM", 0);
}

#[test]
fn requests_that_are_no_clients_hurt_nobody() {
    let reports = reports();
    let server = Server::start(made_up(&["--allow-host", "reports.example"]));
    run("protocol.py", &server, reports.path(), &[]);
    server.end("TERM", 0);
}

const GET_ROLE: &str = "Action=GetRole&Version=2010-05-08&RoleName=%e2%82%ac+b";

/// Returns a request with a form, and further headers.
fn post(host: &str, headers: &str, form: &str) -> String {
    let length = form.len();
    format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\n{headers}\
         Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n\
         Content-Length: {length}\r\n\r\n{form}"
    )
}

fn get_role(host: &str) -> String {
    let headers = "Authorization: AWS4-HMAC-SHA256 as it was\r\n\
                   X-Amz-Date: 20260101T000000Z\r\nx-Odd: 1\r\nConnection: close\r\n";
    post(host, headers, GET_ROLE)
}

#[test]
fn what_is_no_report_is_passed_on_as_it_came_and_so_is_the_answer() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", other.local_addr().unwrap());
    let server = Server::start(made_up(&["--forward", &url]));
    let answering = thread::spawn(move || {
        let (mut connection, _) = other.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(GET_ROLE.as_bytes()) {
            let mut some = [0; 4096];
            let read = connection.read(&mut some).unwrap();
            assert_ne!(read, 0, "{}", String::from_utf8_lossy(&request));
            request.extend(&some[..read]);
        }
        let body = "<none>ü</none>";
        let length = body.len();
        let reply = format!(
            "HTTP/1.1 418 Teapot\r\nContent-Type: text/odd\r\nx-amzn-RequestId: seven\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        connection.write_all(reply.as_bytes()).unwrap();
        String::from_utf8(request).unwrap()
    });
    let reply = server.ask(&get_role(server.host()));
    let request = answering.join().unwrap();
    assert!(request.starts_with("POST / HTTP/1.1\r\n"), "{request}");
    let headers = request.to_lowercase();
    for header in [
        // Signatures cover it.
        &format!("host: {}", server.host()),
        "authorization: aws4-hmac-sha256 as it was",
        "x-amz-date: 20260101t000000z",
        "x-odd: 1",
        "content-type: application/x-www-form-urlencoded; charset=utf-8",
    ] {
        assert_eq!(headers.matches(&format!("\r\n{header}\r\n")).count(), 1, "{request}");
    }
    assert!(reply.starts_with("HTTP/1.1 418"), "{reply}");
    let headers = reply.to_lowercase();
    for header in ["content-type: text/odd", "x-amzn-requestid: seven"] {
        assert_eq!(headers.matches(&format!("\r\n{header}\r\n")).count(), 1, "{reply}");
    }
    assert!(reply.ends_with("\r\n\r\n<none>ü</none>"), "{reply}");
    // Nobody is there any more: that is not the client's fault.
    let reply = server.ask(&get_role(server.host()));
    assert!(reply.starts_with("HTTP/1.1 50"), "{reply}");
    assert!(reply.contains("<ErrorResponse ") && reply.ends_with('>'), "{reply}");
    server.end("TERM", 0);
}

#[test]
fn hostile_clients_neither_stop_a_server_nor_make_it_grow() {
    let testdata = testdata("");
    let arguments = [env!("CARGO_BIN_EXE_trailfold"), text(&testdata)];
    script(Command::new(python()).arg("-B"), "hostile.py", &arguments);
}

#[test]
fn a_server_ends_though_connections_are_open() {
    for signal in ["TERM", "INT"] {
        let server = Server::start(made_up(&[]));
        let idle = TcpStream::connect(server.host()).unwrap();
        let mut half = TcpStream::connect(server.host()).unwrap();
        half.write_all(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf").unwrap();
        let mut kept = TcpStream::connect(server.host()).unwrap();
        let request = get_role(server.host()).replace("Connection: close\r\n", "");
        kept.write_all(request.as_bytes()).unwrap();
        assert_ne!(kept.read(&mut [0; 1000]).unwrap(), 0);
        server.end(signal, 0);
        drop((idle, half, kept));
    }
}

#[test]
fn a_server_in_the_background_of_a_script_ends_as_asked() {
    // A shell without a terminal has what it starts with `&` ignore SIGINT.
    let script = "trap '' INT; exec \"$0\" serve testdata/logs/AWSLogs -q";
    let mut command = Command::new("sh");
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    Server::of(command.args(["-c", script, env!("CARGO_BIN_EXE_trailfold")])).end("TERM", 0);
}

#[test]
fn of_those_whose_accounts_were_not_read_no_report_is_made() {
    let logs = "testdata/logs/AWSLogs/o-exampleorgid/555555555555";
    let server = Server::start([&[logs, "-q"], &IDENTITIES[..]].concat());
    let generate = |arn: &str| {
        let form =
            format!("Action=GenerateServiceLastAccessedDetails&Version=2010-05-08&Arn={arn}");
        server.ask(&post(server.host(), "Connection: close\r\n", &form))
    };
    for arn in [
        "arn:aws:iam::555555555555:user/bob",
        // Attached in an account that was read and in one that was not.
        "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
    ] {
        let reply = generate(arn);
        assert!(reply.contains("<JobId>"), "{arn}: {reply}");
    }
    for arn in
        ["arn:aws:iam::888888888888:user/dave", "arn:aws:iam::aws:policy/AdministratorAccess"]
    {
        let reply = generate(arn);
        assert!(reply.contains("<Code>InvalidInput</Code>"), "{arn}: {reply}");
    }
    server.end("TERM", 0);
}

#[test]
fn a_server_of_incomplete_input_answers_and_ends_with_code_1() {
    let place = tempfile::tempdir().unwrap();
    let coverage = place.path().join("coverage.json");
    let mut command = trailfold();
    command.args(["serve", "testdata/logs", "-q", "--coverage", text(&coverage)]);
    // What could not be read is said there, too.
    let server = Server::of(command.stderr(Stdio::null()));
    // It is known what was read before anybody asks.
    assert!(fs::read_to_string(&coverage).unwrap().contains("no-time-or-no-source"));
    let reply = server.ask(&get_role(server.host()));
    assert!(reply.contains("<Code>InvalidAction</Code>"), "{reply}");
    server.end("TERM", 1);
}

#[test]
fn arguments_that_would_open_a_server_to_others_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let empty = place.path().join("empty");
    fs::write(&empty, "").unwrap();
    for (arguments, named) in [
        (vec!["--listen", "0.0.0.0:0"], "--allow-remote"),
        (vec!["--listen", "[::]:0"], "--allow-remote"),
        (vec!["--listen", "nowhere"], "--listen"),
        (vec!["--forward", "https://iam.amazonaws.com"], "--forward"),
        (vec!["--forward", "nowhere"], "--forward"),
        (vec!["--job-time", "long"], "--job-time"),
        (vec!["--credentials", "nowhere"], "nowhere"),
        (vec!["--credentials", text(&empty)], "empty"),
        (vec!["--identities", "nowhere"], "nowhere"),
        (vec!["--organization", "nowhere"], "nowhere"),
    ] {
        let mut command = trailfold();
        let output = command.arg("serve").args(LOGS).arg("-q").args(&arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(said.contains(named), "{arguments:?}: {said}");
    }
    // An empty input reads as if nothing were ever used.
    let output = trailfold().args(["serve", "-q"]).arg(&empty).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
}
