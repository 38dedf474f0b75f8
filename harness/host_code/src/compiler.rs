//! Compiling a region for this host.

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
use translate::{BackEnd, Code, Entry, Region};

use crate::lower::lower;

/// Makes host code.
pub struct Compiler {
    isa: OwnedTargetIsa,
}

impl Compiler {
    /// `None` on a host for which Cranelift has no back end, or whose pointers do not have 64 bits.
    pub fn for_this_host() -> Option<Self> {
        Self::new("false")
    }

    /// The same, which has Cranelift look for mistakes of ours in what it is given, and panics if it finds any: for tests, as
    /// that depends on this crate and not on a region.
    pub fn verifying() -> Option<Self> {
        Self::new("true")
    }

    fn new(verify: &str) -> Option<Self> {
        if cfg!(not(target_pointer_width = "64")) {
            return None;
        }
        let mut flags = settings::builder();
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
}

impl BackEnd for Compiler {
    fn compile(&self, region: &Region) -> Option<Code> {
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
        let size_bytes = context.compiled_code()?.code_info().total_size as usize;
        module.finalize_definitions().ok()?;
        let entry = module.get_finalized_function(function);
        // SAFETY: the function has just been compiled with the signature that `Entry` says in the host's convention.
        let entry = unsafe { std::mem::transmute::<*const u8, Entry>(entry) };
        // SAFETY: `lower` says what the region says; the function's memory lives as long as the module.
        Some(unsafe { Code::new(entry, size_bytes, Box::new(Memory(ManuallyDrop::new(Mutex::new(module))))) })
    }
}

/// The module whose memory the code lies in. Behind a lock because it may not be shared; nobody takes it.
struct Memory(ManuallyDrop<Mutex<JITModule>>);

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: taken once, here; the code is running nowhere, as whoever runs it borrows the `Code` that holds this.
        unsafe {
            let module = ManuallyDrop::take(&mut self.0);
            module.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()).free_memory();
        }
    }
}
