//! Programs without a server: cases run commands.

use super::{Knowledge, NOTHING};

pub(super) const KNOWN: Knowledge = Knowledge { name: "command", ..NOTHING };
