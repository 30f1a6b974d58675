use std::sync::Arc;

use crate::trace::ids::{SpanId, TraceId, is_hex};

/// Where a request stands in a trace, and what it says to those that it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The trace.
    pub trace: TraceId,
    /// The span of this proxy.
    pub span: SpanId,
    /// The span of who asked; `None` where the trace begins here.
    pub parent: Option<SpanId>,
    /// Whether spans of this trace are kept.
    pub sampled: bool,
    /// Whether records carry it.
    pub in_records: bool,
    /// What others keep in it; passed on as it is.
    pub state: Option<Arc<str>>,
}

tokio::task_local! {
    static CURRENT: Context;
}

/// Runs what belongs to a request; what it asks of others says so.
pub async fn scope<T>(context: Context, work: impl Future<Output = T>) -> T {
    CURRENT.scope(context, work).await
}

/// Returns the context of the request that is being served, if it has one.
pub fn current() -> Option<Context> {
    CURRENT.try_with(Context::clone).ok()
}

impl Context {
    /// Begins a trace.
    pub fn begin(sampled: bool) -> Context {
        Context { trace: TraceId::new(), span: SpanId::new(), parent: None, sampled, in_records: false, state: None }
    }

    /// Goes on with the trace that a `traceparent` names; `None` where it is not what the specification says, which is
    /// to be taken as if it were not there.
    pub fn of_parent(traceparent: &str) -> Option<Context> {
        let mut parts = traceparent.split('-');
        let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        // Version ff is forbidden; later ones begin like the first, and may go on.
        let is_known = is_hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
        if !is_known || !is_hex(flags, 2) {
            return None;
        }
        let flags = u8::from_str_radix(flags, 16).ok()?;
        Some(Context {
            trace: TraceId::read(trace)?,
            parent: Some(SpanId::read(parent)?),
            span: SpanId::new(),
            sampled: flags & 1 == 1,
            in_records: false,
            state: None,
        })
    }

    /// Returns the `traceparent` for those that are asked.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-0{}", self.trace, self.span, u8::from(self.sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "b7ad6b7169203331";

    #[test]
    fn a_traceparent_is_read_as_the_specification_says() {
        let good = |text: String| Context::of_parent(&text).map(|context| (context.trace.to_string(), context.sampled));
        for (flags, sampled) in [("00", false), ("01", true), ("03", true), ("fe", false), ("ff", true)] {
            assert_eq!(good(format!("00-{TRACE}-{SPAN}-{flags}")), Some((TRACE.to_owned(), sampled)), "{flags}");
        }
        // A later version may have more.
        assert!(good(format!("01-{TRACE}-{SPAN}-01")).is_some());
        assert!(good(format!("cc-{TRACE}-{SPAN}-01-what-the-future-brings")).is_some());
        let (zeros, zero) = ("0".repeat(32), "0".repeat(16));
        for bad in [
            String::new(),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("00-{TRACE}-{SPAN}-01-"),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{zeros}-{SPAN}-01"),
            format!("00-{TRACE}-{zero}-01"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("0-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", &TRACE[1..]),
            format!("00-{TRACE}-{SPAN}0-01"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-0x"),
            format!("00-+{}-{SPAN}-01", &TRACE[1..]),
            format!("01-{TRACE}-{SPAN}-01.more"),
            format!("00_{TRACE}_{SPAN}_01"),
        ] {
            assert_eq!(good(bad.clone()), None, "{bad}");
        }
    }

    #[test]
    fn what_is_passed_on_has_the_trace_and_a_span_of_our_own() {
        let context = Context::of_parent(&format!("00-{TRACE}-{SPAN}-01")).unwrap();
        assert_eq!(context.traceparent(), format!("00-{TRACE}-{}-01", context.span));
        assert_ne!(context.span.to_string(), SPAN);
        assert_eq!(context.parent.unwrap().to_string(), SPAN);
        assert!(Context::begin(false).traceparent().ends_with("-00"));
    }

    #[tokio::test]
    async fn a_context_is_that_of_its_task_only() {
        let context = Context::begin(true);
        let seen = scope(context.clone(), async { current() }).await;
        assert_eq!((seen, current()), (Some(context), None));
    }
}
