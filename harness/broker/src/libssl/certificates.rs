//! The certificates and the key that OpenSSL sends and uses.

use crate::error::Error;
use openssl::pkey::{PKey, Private};
use openssl::ssl::SslContextBuilder;
use openssl::x509::X509;
use pki::Minted;

/// What to do about what OpenSSL will not send.
const REMEDY: &str = "set `engine = \"rustls\"`, which sends whatever it is given";

/// Which certificates are sent, and which key is used.
pub(super) struct Certificates<'a> {
    pub(super) field: &'static str,
    pub(super) names: &'a [String],
    pub(super) key_of: Option<&'a String>,
}

impl Certificates<'_> {
    /// Gives them to `context`.
    pub(super) fn install(&self, context: &mut SslContextBuilder, minted: &Minted) -> Result<(), Error> {
        let (leaf, others) =
            self.names.split_first().ok_or_else(|| Error::new(self.field, "no certificate", "name at least one"))?;
        let refused = |name: &str, error: &dyn std::fmt::Display| {
            Error::new(self.field, format!("OpenSSL does not take `{name}` ({error})"), REMEDY)
        };
        let certificate = self.certificate(self.field, leaf, minted)?;
        context.set_certificate(&certificate).map_err(|error| refused(leaf, &error))?;
        for name in others {
            context
                .add_extra_chain_cert(self.certificate(self.field, name, minted)?)
                .map_err(|error| refused(name, &error))?;
        }
        let key_of = self.key_of.unwrap_or(leaf);
        let key = self.key(key_of, minted)?;
        // OpenSSL checks that certificate and key belong together.
        context.set_private_key(&key).map_err(|error| refused(key_of, &error))
    }

    fn certificate(&self, field: &'static str, name: &str, minted: &Minted) -> Result<X509, Error> {
        let der = &find(field, name, minted)?.der;
        let certificate = X509::from_der(der)
            .map_err(|error| Error::new(field, format!("OpenSSL cannot read `{name}` ({error})"), REMEDY))?;
        // What it reads, it writes again: that has to be the same.
        if certificate.to_der().ok().as_ref() == Some(der) {
            Ok(certificate)
        } else {
            Err(Error::new(field, format!("OpenSSL would mend the encoding of `{name}`"), REMEDY))
        }
    }

    fn key(&self, name: &str, minted: &Minted) -> Result<PKey<Private>, Error> {
        PKey::private_key_from_pkcs8(find("key_of", name, minted)?.key_pkcs8_der())
            .map_err(|error| Error::new("key_of", format!("OpenSSL cannot use the key of `{name}` ({error})"), REMEDY))
    }
}

pub(super) fn find<'m>(
    field: &'static str,
    name: &str,
    minted: &'m Minted,
) -> Result<&'m pki::MintedCertificate, Error> {
    minted.certificates.get(name).ok_or_else(|| {
        Error::new(field, format!("there is no certificate `{name}`"), format!("add a table `[pki.{name}]`"))
    })
}
