//! `--count`, `--set-aside`: which kinds of records count.

use anyhow::bail;
use clap::ValueEnum as _;

use super::args::{AttributionArgs, Kind};
use crate::access::{Choice, Switches};

/// Reads the arguments.
pub(super) fn switches(args: &AttributionArgs) -> anyhow::Result<Switches> {
    if let Some(kind) = args.count.iter().find(|kind| args.set_aside.contains(kind)) {
        let name = kind.to_possible_value().map(|value| value.get_name().to_owned());
        bail!("--count and --set-aside: `{}` is named by both", name.unwrap_or_default());
    }
    let mut switches = Switches::default();
    let chosen = args.count.iter().map(|kind| (*kind, Choice::Count));
    for (kind, choice) in chosen.chain(args.set_aside.iter().map(|it| (*it, Choice::SetAside))) {
        *match kind {
            Kind::RootServiceCalls => &mut switches.root_service_calls,
            Kind::ForwardAccess => &mut switches.forward_access,
            Kind::ServiceLinkedRoles => &mut switches.service_linked_roles,
            Kind::ConsoleActions => &mut switches.console_actions,
            Kind::ConsoleSignIns => &mut switches.console_sign_ins,
        } = choice;
    }
    Ok(switches)
}
