//! Kerberos credentials from a keytab, which the safe bindings have no call for.

use std::ffi::CString;
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

use libgssapi::credential::Cred;
use libgssapi::error::{Error as GssError, MajorFlags};
use libgssapi_sys::{
    GSS_C_INITIATE, gss_OID_desc, gss_acquire_cred_from, gss_buffer_desc, gss_cred_id_t, gss_import_name,
    gss_key_value_element_desc, gss_key_value_set_desc, gss_name_t, gss_release_name,
};

use crate::error::{Code, Error, Result};

/// GSS_KRB5_NT_PRINCIPAL_NAME (RFC 1964 2.1.1), 1.2.840.113554.1.2.2.1.
const PRINCIPAL_NAME: [u8; 10] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 0x01, 0x02, 0x02, 0x01];

/// Credentials of a principal, or the first there is, with the keys of a keytab. Their tickets are kept in memory and not
/// in the user's own cache.
///
/// # Errors
/// `directory_auth` with the words of the Kerberos library.
pub fn kerberos_credentials(keytab: &Path, principal: Option<&str>) -> Result<Cred> {
    static CACHES: AtomicU64 = AtomicU64::new(0);
    let text = |text: String| CString::new(text).map_err(|_| refused("a name with a zero octet"));
    let keytab = text(format!("FILE:{}", keytab.display()))?;
    let cache = text(format!("MEMORY:smimesync-{}", CACHES.fetch_add(1, Ordering::Relaxed)))?;
    let mut elements = [
        gss_key_value_element_desc { key: c"client_keytab".as_ptr(), value: keytab.as_ptr() },
        gss_key_value_element_desc { key: c"ccache".as_ptr(), value: cache.as_ptr() },
    ];
    let store = gss_key_value_set_desc { count: 2, elements: elements.as_mut_ptr() };
    let name = Name::new(principal)?;
    let (mut minor, mut credentials): (u32, gss_cred_id_t) = (0, ptr::null_mut());
    // SAFETY: store, its elements and their texts outlive the call; the name is imported or none; the outputs are ours
    let major = unsafe {
        gss_acquire_cred_from(
            &mut minor,
            name.0,
            u32::MAX,
            ptr::null_mut(),
            GSS_C_INITIATE as i32,
            &store,
            &mut credentials,
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    checked(major, minor)?;
    // SAFETY: the call has just made them and nobody else holds them
    Ok(unsafe { Cred::from_c(credentials) })
}

/// An imported name, or none.
struct Name(gss_name_t);

impl Name {
    fn new(principal: Option<&str>) -> Result<Self> {
        let Some(principal) = principal else { return Ok(Self(ptr::null_mut())) };
        let mut octets = principal.as_bytes().to_vec();
        let mut kind = PRINCIPAL_NAME;
        let mut buffer = gss_buffer_desc { length: octets.len(), value: octets.as_mut_ptr().cast() };
        let mut kind = gss_OID_desc { length: kind.len() as u32, elements: kind.as_mut_ptr().cast() };
        let (mut minor, mut name): (u32, gss_name_t) = (0, ptr::null_mut());
        // SAFETY: buffer and kind point to octets that outlive the call, which copies them
        let major = unsafe { gss_import_name(&mut minor, &mut buffer, &mut kind, &mut name) };
        checked(major, minor).map(|()| Self(name))
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let mut minor = 0;
        if !self.0.is_null() {
            // SAFETY: the name was imported and is released once
            unsafe { gss_release_name(&mut minor, &mut self.0) };
        }
    }
}

/// Calling and routine errors stand in the upper half of a major status (RFC 2744 3.9.1).
fn checked(major: u32, minor: u32) -> Result<()> {
    if major >> 16 == 0 {
        return Ok(());
    }
    Err(refused(&GssError { major: MajorFlags::from_bits_retain(major), minor }.to_string()))
}

fn refused(words: &str) -> Error {
    Error::new(Code::DirectoryAuth).with("detail", format!("kerberos: {words}"))
}
