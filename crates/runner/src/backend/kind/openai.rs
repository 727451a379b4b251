//! Whatever speaks OpenAI's HTTP interface, attached by `url` or started by `command`.
//! Nothing else is known of it. Run here with servers of `examples/backends`.

use super::{Knowledge, NOTHING};

pub(super) const KNOWN: Knowledge = Knowledge { name: "openai", ..NOTHING };
