//! Signatures of SNS: RSA over SHA-1 (version 1) or SHA-256 (version 2), by the key of a certificate.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use webpki::EndEntityCert;

use super::message::Message;

/// SHA-1, as topics sign by default. A second message with the same digest would have to be signed by AWS to be of use.
#[derive(Debug)]
struct Sha1;

impl SignatureVerificationAlgorithm for Sha1 {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, key);
        key.verify(message, signature).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        // Of no meaning here: the message says by its version what signs it.
        alg_id::RSA_PKCS1_SHA256
    }
}

/// Is `message` signed by the key of `certificate` (PEM)? Pure. Errors: why not.
pub(super) fn verify(message: &Message, certificate: &[u8]) -> Result<(), &'static str> {
    let der = CertificateDer::from_pem_slice(certificate).map_err(|_| "the certificate is not PEM")?;
    let certificate = EndEntityCert::try_from(&der).map_err(|_| "the certificate cannot be read")?;
    let algorithm: &dyn SignatureVerificationAlgorithm = match message.signature_version.as_str() {
        "1" => &Sha1,
        "2" => webpki::ring::RSA_PKCS1_2048_8192_SHA256,
        _ => return Err("the signature's version is neither 1 nor 2"),
    };
    let signature = STANDARD.decode(&message.signature).map_err(|_| "the signature is not base64")?;
    let verified = certificate.verify_signature(algorithm, message.signed().as_bytes(), &signature);
    verified.map_err(|_| "the signature does not hold")
}
