//! On whose behalf requests are made: who hears of waits, and until when it is worth trying.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use crate::error::Error;

/// Who hears of waits.
pub trait Listener: Send + Sync {
    /// A wait of so many milliseconds begins; it goes on while this is being told. With an error a request failed for
    /// it and is repeated afterwards; without one a pause is kept that the service asked of everybody.
    fn waiting<'a>(
        &'a self,
        milliseconds: u64,
        because: Option<&'a Error>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
}

/// On whose behalf requests are made.
#[derive(Clone, Default)]
pub(super) struct Terms {
    /// Who hears of waits.
    pub(super) listener: Option<Arc<dyn Listener>>,
    /// When nothing is repeated any more, by the clock that nobody sets.
    pub(super) deadline_ms: Option<i64>,
}

impl Terms {
    /// Tells of a wait that begins.
    pub(super) async fn waiting(&self, milliseconds: u64, because: Option<&Error>) {
        if let Some(listener) = &self.listener {
            listener.waiting(milliseconds, because).await;
        }
    }
}

impl fmt::Debug for Terms {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Terms").field("deadline_ms", &self.deadline_ms).finish_non_exhaustive()
    }
}
