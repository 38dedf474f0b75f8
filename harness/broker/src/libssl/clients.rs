//! Asks clients for certificates, and judges them.

use super::certificates::find;
use super::foreign::SET_CLIENT_SIGALGS_LIST;
use crate::error::Error;
use openssl::error::ErrorStack;
use openssl::ssl::{SslContextBuilder, SslVerifyMode};
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::{X509, X509Name};
use pki::Minted;
use scenario::broker::{ClientCertificates, Request};
use std::ffi::CString;

const FIELD: &str = "client_certificates";

/// What the script says about client certificates, for OpenSSL.
pub(super) fn ask(context: &mut SslContextBuilder, script: &ClientCertificates, minted: &Minted) -> Result<(), Error> {
    let mode = match script.request {
        Request::None => return Ok(()),
        Request::Optional => SslVerifyMode::PEER,
        Request::Required => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
    };
    let refused = |error: ErrorStack| Error::new(FIELD, error.to_string(), "trust another certificate");
    let mut store = X509StoreBuilder::new().map_err(refused)?;
    for name in &script.trusts {
        let authority = find(FIELD, name, minted)?;
        let certificate = X509::from_der(&authority.der).map_err(refused)?;
        if script.announce {
            context.add_client_ca(&certificate).map_err(refused)?;
        }
        store.add_cert(certificate).map_err(refused)?;
    }
    for index in 0..script.announce_fillers {
        announce(context, &crate::tls::filler(index)).map_err(refused)?;
    }
    context.set_verify_cert_store(store.build()).map_err(refused)?;
    let looks = script.verify;
    context.set_verify_callback(mode, move |is_good, _| is_good || !looks);
    if !script.signature_schemes.is_empty() {
        let list = CString::new(script.signature_schemes.join(":")).unwrap_or_default();
        // SAFETY: the context is a live one, and the list is read before the call returns.
        let set = unsafe {
            let list = list.as_ptr().cast_mut().cast();
            openssl_sys::SSL_CTX_ctrl(context.as_ptr(), SET_CLIENT_SIGALGS_LIST, 0, list)
        };
        if set != 1 {
            let problem = "OpenSSL does not know all of these schemes";
            return Err(Error::new("client_certificates", problem, "use other `signature_schemes`"));
        }
    }
    Ok(())
}

/// Tells the name of an authority in the request. OpenSSL takes names from certificates only.
fn announce(context: &mut SslContextBuilder, name_der: &[u8]) -> Result<(), ErrorStack> {
    let mut certificate = X509::builder()?;
    certificate.set_subject_name(X509Name::from_der(name_der)?.as_ref())?;
    context.add_client_ca(&certificate.build())
}
