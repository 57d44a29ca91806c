//! What the fuzz targets begin with: the forms their inputs have, made here as the other tests make theirs.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint, CustomExtension,
    DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    NameConstraints, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, RevocationReason, RevokedCertParams,
    SanType, SerialNumber, SignatureAlgorithm, SigningKey as _, date_time_ymd,
};

/// The seeds of a target.
pub(crate) fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "answer" => texts(&ANSWERS),
        "configuration" => texts(&CONFIGURATIONS),
        "options" => texts(&OPTIONS),
        "ldif" => vec![ldif()],
        "selection" => SELECTIONS.iter().map(|lines| [lines.as_bytes(), &ldif()].concat()).collect(),
        "certificate" => chains().into_iter().flat_map(|chain| [chain.leaf, chain.issuer, chain.anchor]).collect(),
        "crl" => chains().into_iter().flat_map(|chain| chain.lists).collect(),
        "value" => chains().into_iter().flat_map(|chain| values(&chain)).collect(),
        "bundle" => chains().into_iter().flat_map(|chain| bundles(&chain)).collect(),
        "ocsp" => files("ocsp"),
        "engine" => chains().iter().map(Chain::for_engine).collect(),
        other => unreachable!("no seeds for {other}"),
    }
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

const ANSWERS: [&str; 4] = [
    r#"{"value":[{"Guid":"00000000-0000-4000-8000-000000000001","IsDirSynced":false,"DisplayName":"Ann","PrimarySmtpAddress":"ann@contoso.com","EmailAddresses":["SMTP:ann@contoso.com","smtp:a@contoso.com"],"UserCertificate":["MAMC"],"UserSMimeCertificate":[{"value":"MAMC"}]}],"@odata.nextLink":"/x"}"#,
    r#"{"value":[{"Guid":"00000000-0000-4000-8000-000000000001","IsDirSynced":true,"UserCertificate":[[48,3,2]],"UserSMimeCertificate":{"$values":["MAMC"]}}],"@adminapi.warnings":["slow"]}"#,
    r#"{"value":[{"_clixml":"<Objs Version=\"1.1.0.1\" xmlns=\"http://schemas.microsoft.com/powershell/2004/04\"><Obj RefId=\"0\"><TN RefId=\"0\"><T>System.Object</T></TN><Props><G N=\"Guid\">00000000-0000-4000-8000-000000000001</G><B N=\"IsDirSynced\">false</B><S N=\"DisplayName\">A_x000A_nn</S><Obj N=\"UserCertificate\" RefId=\"1\"><LST><BA>MAMC</BA></LST></Obj><Nil N=\"ImmutableId\" /></Props></Obj></Objs>"}]}"#,
    r#"{"error":{"code":"BadRequest","message":"|Microsoft.Exchange.Management.Tasks.ValidationException|no","details":[{"message":"x"}],"innererror":{"internalexception":{"message":"y"}}},"@adminapi.errors":["Ex1234|no such recipient"]}"#,
];

const CONFIGURATIONS: [&str; 3] = [
    r#"{"culture":"de-DE","directory":{"kind":"ldap","urls":["ldaps://dc1.contoso.com"],"base":"DC=contoso,DC=com","bind":{"method":"simple","user":"svc","password":"x"},"filter":"(department=IT)","page_size":1000,"timeout_ms":30000}}"#,
    r#"{"exchange":{"organization":"contoso.onmicrosoft.com","auth":{"method":"secret","app_id":"aaaaaaaa-0000-4000-8000-000000000001","secret":"x"},"concurrency":4},"guard":{"max_removals":500,"max_removals_percent":20}}"#,
    r#"{"policy":{"at":"2026-11-20T00:00:00Z","max_values":15,"publish":"newest","attributes":["userCertificate"]},"revocation":{"mode":"offline","crls":["ca.crl"]},"log":{"level":"info","files":3}}"#,
];

const OPTIONS: [&str; 4] = [
    r#"{"identities":["ann@contoso.com"],"filter":"(mail=*)","bases":["DC=contoso,DC=com"],"limit":5}"#,
    r#"{"policy_type":"initial","staging":true,"force":["scope","max_removals"],"run":"7","changes":[1,2]}"#,
    r#"{"verb":"validate","last":3,"since":"2026-01-01T00:00:00Z","until":"2026-02-01T00:00:00+02:00"}"#,
    r#"{"recipient_filter":"DisplayName -like 'A*'","types":["UserMailbox"],"limit":null}"#,
];

const SELECTIONS: [&str; 4] = [
    "ann@contoso.com\n(&(mail=*ann*)(!(cn=x\\2a))(|(sn>=a)(uid~=b)))\nOU=People,DC=contoso,DC=com\n",
    "CN=Ann\\, Lee+UID=7,OU=People,DC=contoso,DC=com\n\n\n",
    "00112233-4455-6677-8899-aabbccddeeff\n(objectGUID=\\00\\11)\n\n",
    "\n(cn:dn:caseIgnoreMatch:=ann)\nDC=#0c0178\n",
];

/// Seeds that lie beside the targets.
fn files(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let files = std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
    files.collect()
}

fn ldif() -> Vec<u8> {
    let certificate = BASE64_STANDARD.encode(&Chain::new(&PKCS_ECDSA_P256_SHA256).leaf);
    let mut text = "version: 1\n\n# people\ndn: CN=Ann\\, Lee,OU=People,DC=contoso,DC=com\nobjectClass: user\n\
        objectGUID:: MyIRAFVEd2aImaq7zN3u/w==\ncn: Ann\n  Lee\nmail: ann@contoso.com\n\
        proxyAddresses: SMTP:ann@contoso.com\nproxyAddresses: smtp:a@contoso.com\nuserAccountControl: 512\n\
        userPrincipalName: ann@contoso.com\nuserCertificate;binary:: "
        .to_owned();
    text.push_str(&certificate);
    text.push_str(
        "\nuserSMIMECertificate;range=0-1:: MAMC\n\ndn:: Q049QmVuLERDPWNvbnRvc28sREM9Y29t\nchangetype: add\n\
        objectClass: inetOrgPerson\nentryUUID: 00112233-4455-6677-8899-aabbccddeeff\nmail: ben@contoso.com\n",
    );
    text.into_bytes()
}

/// A chain of three and the lists of its authorities.
struct Chain {
    leaf: Vec<u8>,
    issuer: Vec<u8>,
    anchor: Vec<u8>,
    lists: Vec<Vec<u8>>,
    /// The leaf's key.
    own: KeyPair,
}

fn chains() -> Vec<Chain> {
    [&PKCS_ECDSA_P256_SHA256, &PKCS_ED25519, &PKCS_RSA_SHA256].into_iter().map(Chain::new).collect()
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::OrganizationName, "Contoso");
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2035, 1, 1);
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// An extension below 2.5.29.
fn extension(arc: u64, contents: &[u8]) -> CustomExtension {
    CustomExtension::from_oid_content(&[2, 5, 29, arc], contents.to_vec())
}

fn person() -> CertificateParams {
    let mut params = named("Ann Lee");
    params.is_ca = IsCa::ExplicitNoCa;
    params.serial_number = Some(SerialNumber::from(4711_u64));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
    params.subject_alt_names = vec![
        SanType::Rfc822Name("ann@contoso.com".try_into().unwrap()),
        SanType::DnsName("www.contoso.com".try_into().unwrap()),
    ];
    let uris = vec!["http://contoso.com/a.crl".to_owned(), "ldap:///CN=a,DC=contoso,DC=com".to_owned()];
    params.crl_distribution_points = vec![CrlDistributionPoint { uris }];
    // certificatePolicies with anyPolicy
    params.custom_extensions = vec![extension(32, &[0x30, 8, 0x30, 6, 6, 4, 0x55, 0x1d, 0x20, 0])];
    params
}

impl Chain {
    fn new(algorithm: &'static SignatureAlgorithm) -> Self {
        let key = || KeyPair::generate_for(algorithm).unwrap();
        let (root, issuing, own) = (key(), key(), key());
        let (root_params, mut issuing_params) = (authority("Root"), authority("Issuing"));
        issuing_params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![
                GeneralSubtree::Rfc822Name("contoso.com".into()),
                GeneralSubtree::DnsName("contoso.com".into()),
            ],
            excluded_subtrees: vec![GeneralSubtree::Rfc822Name(".secret.contoso.com".into())],
        });
        // policies, their mapping, policyConstraints, inhibitAnyPolicy
        issuing_params.custom_extensions = vec![
            extension(32, &[0x30, 8, 0x30, 6, 6, 4, 0x55, 0x1d, 0x20, 0]),
            extension(33, &[0x30, 10, 0x30, 8, 6, 2, 0x2a, 1, 6, 2, 0x2a, 2]),
            extension(36, &[0x30, 3, 0x80, 1, 5]),
            extension(54, &[2, 1, 3]),
        ];
        let by_root = Issuer::from_params(&root_params, &root);
        let by_issuing = Issuer::from_params(&issuing_params, &issuing);
        Self {
            leaf: person().signed_by(&own, &by_issuing).unwrap().der().to_vec(),
            issuer: issuing_params.signed_by(&issuing, &by_root).unwrap().der().to_vec(),
            anchor: root_params.self_signed(&root).unwrap().der().to_vec(),
            lists: vec![list(&by_root, &[]), list(&by_issuing, &[1, 2, 0x1234_5678])],
            own,
        }
    }

    fn for_engine(&self) -> Vec<u8> {
        let parts = [&self.leaf, &self.anchor, &self.issuer].into_iter().chain(&self.lists);
        let framed = parts.flat_map(|part| [&(part.len() as u16).to_be_bytes()[..], part].concat());
        [0b11_0000].into_iter().chain(framed).collect()
    }
}

fn list(issuer: &Issuer<'_, &KeyPair>, serials: &[u64]) -> Vec<u8> {
    let revoked = |serial: &u64| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: date_time_ymd(2026, 4, 1),
        reason_code: Some(RevocationReason::KeyCompromise),
        invalidity_date: None,
    };
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 5, 1),
        next_update: date_time_ymd(2026, 7, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: serials.iter().map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(issuer).unwrap().der().to_vec()
}

fn tlv(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = (contents.len() as u16).to_be_bytes();
    [&[tag, 0x82], &length[..], contents].concat()
}

/// certs-only CMS SignedData (RFC 5652 5.1).
fn cms(chain: &Chain) -> Vec<u8> {
    const SIGNED_DATA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
    const DATA: &[u8] = &[0x30, 11, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
    let certificates = tlv(0xa0, &[&chain.leaf[..], &chain.issuer].concat());
    let lists = tlv(0xa1, &chain.lists[1]);
    let signed = tlv(0x30, &[&[2, 1, 1, 0x31, 0], DATA, &certificates, &lists, &[0x31, 0]].concat());
    tlv(0x30, &[SIGNED_DATA, &tlv(0xa0, &signed)].concat())
}

/// CMS SignedData that the leaf's key signed: content, capabilities and a key preference that names nobody.
fn signed_cms(chain: &Chain) -> Vec<u8> {
    const DATA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
    const SHA256: &[u8] = &[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
    let algorithm: &[u8] = match chain.own.algorithm() {
        ed if ed == &PKCS_ED25519 => &[6, 3, 0x2b, 0x65, 0x70],
        rsa if rsa == &PKCS_RSA_SHA256 => &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0],
        _ => &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2],
    };
    let attribute = |arcs: &[u8], value: &[u8]| {
        let kind = [&[6, 8 + arcs.len() as u8, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9], arcs].concat();
        tlv(0x30, &[kind, tlv(0x31, value)].concat())
    };
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"Empty Body");
    let attributes = [
        attribute(&[3], DATA),
        attribute(&[4], &tlv(4, digest.as_ref())),
        attribute(&[15], &tlv(0x30, &tlv(0x30, &[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 0x2a]))),
        attribute(&[16, 2, 11], &tlv(0x82, &[9; 20])),
    ];
    let attributes = attributes.concat();
    let (_, leaf) = x509_parser::parse_x509_certificate(&chain.leaf).unwrap();
    let sid = tlv(0x30, &[leaf.issuer().as_raw(), &tlv(2, leaf.raw_serial())].concat());
    let parts = [
        vec![2, 1, 1],
        sid,
        tlv(0x30, SHA256),
        tlv(0xa0, &attributes),
        tlv(0x30, algorithm),
        tlv(4, &chain.own.sign(&tlv(0x31, &attributes)).unwrap()),
    ];
    let signer = tlv(0x30, &parts.concat());
    let content = tlv(0x30, &[DATA, &tlv(0xa0, &tlv(4, b"Empty Body"))].concat());
    let certificates = tlv(0xa0, &[&chain.leaf[..], &chain.issuer].concat());
    let parts = [vec![2, 1, 1], tlv(0x31, &tlv(0x30, SHA256)), content, certificates, tlv(0x31, &signer)];
    let signed = tlv(0x30, &parts.concat());
    tlv(0x30, &[&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2], &tlv(0xa0, &signed)[..]].concat())
}

/// Microsoft's tagged list: tag and length of 2 bytes each, the length with the head, little-endian.
fn tagged_list(chain: &Chain) -> Vec<u8> {
    let property = |tag: u16, value: &[u8]| {
        let length = value.len() as u16 + 4;
        [&tag.to_le_bytes()[..], &length.to_le_bytes(), value].concat()
    };
    let parts: [(u16, &[u8]); 4] = [(1, &[1, 0, 0, 0]), (2, &[0; 8]), (3, &chain.leaf), (8, &chain.leaf)];
    parts.iter().flat_map(|(tag, value)| property(*tag, value)).collect()
}

fn values(chain: &Chain) -> Vec<Vec<u8>> {
    vec![chain.leaf.clone(), cms(chain), signed_cms(chain), tagged_list(chain)]
}

/// Microsoft's serialized store ([MS-OSHARED] 2.3.9.1): a property, a certificate, a list, the end.
fn store(chain: &Chain) -> Vec<u8> {
    let element = |id: u32, value: &[u8]| {
        [&id.to_le_bytes()[..], &1_u32.to_le_bytes(), &(value.len() as u32).to_le_bytes(), value].concat()
    };
    let mut store = [&0_u32.to_le_bytes()[..], b"CERT"].concat();
    store.extend(element(3, &[7; 20]));
    store.extend(element(32, &chain.leaf));
    store.extend(element(33, &chain.lists[1]));
    store.extend([0; 12]);
    store
}

fn bundles(chain: &Chain) -> Vec<Vec<u8>> {
    let pem = |label: &str, der: &[u8]| {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64_STANDARD.encode(der))
    };
    let text = pem("CERTIFICATE", &chain.leaf) + &pem("X509 CRL", &chain.lists[1]) + &pem("PKCS7", &cms(chain));
    vec![text.into_bytes(), store(chain), cms(chain), chain.lists[0].clone()]
}
