//! Compiling a region for this host, and running what came of it.

use std::mem::ManuallyDrop;
use std::sync::Mutex;

use cranelift_codegen::Context;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{AbiParam, Signature};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::settings::{self, Configurable as _};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{Module as _, default_libcall_names};

use crate::form::{Exit, Region};
use crate::lower::lower;
use crate::memory::Page;

/// The function of a region: registers, page table, backing bytes, time; the exit in the upper half of what it returns, and
/// in the lower the time that was left.
pub(crate) type Entry = unsafe extern "C" fn(*mut u32, *const Page, *mut u8, u32) -> u64;

/// Makes host code.
pub struct Compiler {
    isa: OwnedTargetIsa,
}

impl Compiler {
    /// `None` on a host for which Cranelift has no back end, or whose pointers do not have 64 bits.
    pub fn for_this_host() -> Option<Self> {
        if cfg!(not(target_pointer_width = "64")) {
            return None;
        }
        let mut flags = settings::builder();
        // The verifier looks for mistakes of `lower`, not of a region.
        let verify = if cfg!(test) { "true" } else { "false" };
        for (name, value) in [
            ("opt_level", "speed"),
            ("is_pic", "false"),
            ("unwind_info", "false"),
            ("enable_verifier", verify),
            ("enable_alias_analysis", "true"),
            ("preserve_frame_pointers", "false"),
        ] {
            flags.set(name, value).ok()?;
        }
        let isa = cranelift_native::builder().ok()?.finish(settings::Flags::new(flags)).ok()?;
        Some(Self { isa })
    }

    /// Compiles a region. `None` if it is not whole, or if the host has no memory for it.
    pub fn compile(&self, region: &Region) -> Option<Code> {
        if !region.is_whole() {
            return None;
        }
        let mut module = JITModule::new(JITBuilder::with_isa(self.isa.clone(), default_libcall_names()));
        let mut signature = Signature::new(self.isa.default_call_conv());
        signature.params.extend([I64, I64, I64, I32].map(AbiParam::new));
        signature.returns.push(AbiParam::new(I64));
        let mut context = Context::new();
        context.func.signature = signature;
        let mut builder_context = FunctionBuilderContext::new();
        lower(region, FunctionBuilder::new(&mut context.func, &mut builder_context), module.target_config());
        let function = module.declare_anonymous_function(&context.func.signature).ok()?;
        module.define_function(function, &mut context).ok()?;
        let bytes = context.compiled_code()?.code_info().total_size;
        module.finalize_definitions().ok()?;
        let entry = module.get_finalized_function(function);
        // SAFETY: the function has just been compiled with the signature that `Entry` says in the host's convention, and
        // its memory lives as long as the module beside it.
        let entry = unsafe { std::mem::transmute::<*const u8, Entry>(entry) };
        Some(Code { entry, bytes, module: ManuallyDrop::new(Mutex::new(module)) })
    }
}

/// The host code of one region.
pub struct Code {
    entry: Entry,
    bytes: u32,
    /// Whose memory the code lies in. Behind a lock because it may not be shared; nobody takes it.
    module: ManuallyDrop<Mutex<JITModule>>,
}

/// Where host code left, and with how much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// The region's exit.
    pub exit: Exit,
    /// Instructions for which there is time, counted from the beginning of the block that was left.
    pub budget: u32,
}

impl Code {
    /// Runs from the region's first block on.
    ///
    /// # Safety
    ///
    /// `registers` points to all registers that the region names; `pages` to [`crate::memory::PAGE_COUNT`] entries, of
    /// which each that is not zero leads into the bytes at `backing`, with all addresses of its page; nobody else uses
    /// registers or backing bytes until this returns. `budget` is less than 2^31.
    #[inline(always)]
    pub unsafe fn run(&self, registers: *mut u32, pages: *const Page, backing: *mut u8, budget: u32) -> Left {
        // SAFETY: the caller's contract is all that host code relies on.
        let both = unsafe { (self.entry)(registers, pages, backing, budget) };
        Left { exit: (both >> 32) as Exit, budget: both as u32 }
    }

    /// The host code's size in bytes.
    pub fn size_bytes(&self) -> usize {
        self.bytes as usize
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        // SAFETY: taken once, here; the code is running nowhere, as `run` borrows this.
        unsafe {
            let module = ManuallyDrop::take(&mut self.module);
            module.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()).free_memory();
        }
    }
}
