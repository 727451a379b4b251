//! What can be wrong with a model.

use super::{Check, name_for_ids};
use crate::suite::suggestion;

pub(super) fn check(check: &mut Check<'_>) {
    for model in &check.suite.body.model {
        let (def, place) = (model.get_ref(), model.span());
        let who = format!("model {:?}", def.id);
        if let Err(message) = name_for_ids("id", &def.id, ",") {
            check.wrong(&place, format!("{who}: {message}"));
        }
        check.texts(def.on.values().filter_map(|at| at.path.as_ref()), &place, &who);
        for name in def.on.keys().filter(|name| !check.suite.body.backend.contains_key(*name)) {
            let hint = suggestion(name, &check.backends);
            let message =
                format!("{who} is placed on backend {name:?}, which is not defined{hint}");
            check.sources.wrong(&place, message);
        }
        for (name, at) in &def.on {
            if at.size_gb.is_some_and(|size| !size.is_finite() || size <= 0.0) {
                let message = format!("{who}: size_gb on backend {name:?} is no size");
                check.sources.wrong(&place, message);
            }
        }
        super::conditions::of_definition(check, def.only.as_ref(), &place, &who);
    }
}
