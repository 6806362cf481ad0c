//! The `trailfold` program.

fn main() -> std::process::ExitCode {
    trailfold::cli::run()
}
