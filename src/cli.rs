//! Arguments, dispatch, printing, exit codes.
