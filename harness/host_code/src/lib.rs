//! The back end of [`translate`]: code of this host, made by Cranelift.
//!
//! Nobody needs it: a process that does not [`install`] it, or runs on a host for which Cranelift has no back end, gives the
//! same results, slower. So it is no dependency of the emulator's, and who does not ask for it does not compile it.
//!
//! Pages of host code are written first and executed later, and are never both ([`cranelift_jit`] maps them for writing,
//! and changes them to read and execute when a function is whole).

mod compiler;
mod lower;

pub use compiler::Compiler;
use translate::Cache;

/// Lets everything in this process that executes guest code have host code of it. `false` on a host without a back end.
pub fn install() -> bool {
    let cache = Cache::of_this_process();
    if !cache.has_back_end()
        && let Some(compiler) = Compiler::for_this_host()
    {
        cache.use_back_end(Box::new(compiler));
    }
    cache.has_back_end()
}
