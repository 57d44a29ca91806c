"""Provisions the test domain and adds what a sync needs.

argv: smb.conf realm domain host adminpw syncpw.  Uses Samba's own Python API because it, unlike
"samba-tool domain provision", can skip the sysvol ACLs (which need root, xattrs and
samba-vfs-modules), use batch_mode (half the time) and work as an ordinary user.
"""
import sys, os, pwd, logging
from samba.provision import provision, FILL_FULL
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
from samba.dcerpc import security
from samba.dsdb import DS_DOMAIN_FUNCTION_2008_R2
from samba.ndr import ndr_pack, ndr_unpack
import ldb
conf, realm, domain, host, adminpw, syncpw = sys.argv[1:7]
lp = LoadParm(); lp.load(conf)
me = pwd.getpwuid(os.getuid()).pw_name
root = os.path.dirname(os.path.dirname(conf))
log = logging.getLogger('provision'); log.setLevel(logging.ERROR); log.addHandler(logging.StreamHandler())
provision(log, system_session(), lp=lp, targetdir=root, realm=realm, domain=domain, hostname=host,
          hostip='127.0.0.1', adminpass=adminpw, dns_backend='NONE', serverrole='dc',
          samdb_fill=FILL_FULL, dom_for_fun_level=DS_DOMAIN_FUNCTION_2008_R2,
          base_schema='2012_R2', root=me, nobody=me, plaintext_secrets=True,
          backend_store='mdb',          # mdb answers (uSNChanged>=n) from an index; tdb scans everything
          backend_store_size=8 * 1024**3, batch_mode=True, skip_sysvolacl=True)

db = SamDB(lp=lp, session_info=system_session())
base = str(db.domain_dn()); dns = realm.lower()

def mod(dn, attr, values, flag=ldb.FLAG_MOD_REPLACE, controls=None):
    m = ldb.Message(ldb.Dn(db, dn)); m['x'] = ldb.MessageElement(values, flag, attr); db.modify(m, controls)

# Passwords never expire (default: 42 days - a cached domain would die), no lockout, no complexity.
for a, v in (('maxPwdAge', '-9223372036854775808'), ('minPwdAge', '0'), ('minPwdLength', '0'),
             ('pwdProperties', '0'), ('lockoutThreshold', '0')):
    mod(base, a, v)
# "samba_spnupdate" would add these at run time, but the dnsupdate service does not run here.
dc = str(db.search(base, expression='(sAMAccountName=%s$)' % host.upper(), attrs=['cn'])[0].dn)
mod(dc, 'servicePrincipalName',
    ['ldap/' + n for n in ('%s.%s' % (host, dns), '%s.%s/%s' % (host, dns, dns), host.upper(),
                           'localhost', '127.0.0.1')], ldb.FLAG_MOD_ADD)
db.create_ou('OU=People,' + base)
# svc-sync : an ordinary user plus the two rights an AD sync needs
#   1. DS-Replication-Get-Changes on the domain   -> DirSync without the OBJECT_SECURITY flag
#   2. LIST + READ on CN=Deleted Objects          -> sees tombstones (DirSync and Show Deleted)
# svc-plain: an ordinary user (DirSync only with OBJECT_SECURITY, no tombstones)
for u in ('svc-sync', 'svc-plain'):
    db.newuser(u, syncpw)
sid = ndr_unpack(security.dom_sid, db.search(base, expression='(sAMAccountName=svc-sync)',
                                             attrs=['objectSid'])[0]['objectSid'][0])
domsid = security.dom_sid(db.get_domain_sid())
for dn, ace in ((base, '(OA;;CR;1131f6aa-9c07-11d1-f79f-00c04fc2dcd2;;%s)'),
                ('CN=Deleted Objects,' + base, '(A;;LCRP;;;%s)')):
    old = db.search(dn, ldb.SCOPE_BASE, attrs=['nTSecurityDescriptor'], controls=['show_deleted:1'])[0]
    sd = ndr_unpack(security.descriptor, old['nTSecurityDescriptor'][0]).as_sddl()
    i = sd.index('(', sd.index('D:'))
    mod(dn, 'nTSecurityDescriptor',
        ndr_pack(security.descriptor.from_sddl(sd[:i] + ace % sid + sd[i:], domsid)),
        controls=['show_deleted:1'])
