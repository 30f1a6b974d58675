/// Who is at the other end of a connection with TLS.
#[derive(Clone, Default)]
pub struct Peer {
    /// The DER of the certificate that they showed and that somebody who is trusted vouches for.
    pub certificate: Option<Vec<u8>>,
}
