/** How to put it right, for the mail servers that are about: text to copy, made for the domain and the MX that failed. */

export type Recipe = { name: string; text: string }
type About = { domain: string; mx?: string | undefined }

/** The sender wrote the name of the MX, and what stands here ends in somebody's shell: a host name, or none. */
const hostName = /^(?!-)[a-z0-9_-]+(?:\.(?!-)[a-z0-9_-]+)+$/i

const host = ({ domain, mx }: About): string => (mx !== undefined && hostName.test(mx) ? mx : `mx.${domain}`)

const look = (about: About): Recipe => ({
  name: 'See it for yourself',
  text: `openssl s_client -starttls smtp -connect ${host(about)}:25 -servername ${host(about)} -verify_hostname ${host(about)} </dev/null`,
})

/** postconf(5): one file with key and chain, leaf first; read anew on reload. */
const postfixCertificate = (about: About): Recipe => ({
  name: 'Postfix',
  text: `# The key, the certificate for ${host(about)}, then its intermediates, in one file:
postconf -e 'smtpd_tls_security_level = may'
postconf -e 'smtpd_tls_chain_files = /etc/postfix/tls/${host(about)}.pem'
postfix reload`,
})

/** Exim specification, chapter 43: the files are read for each connection. */
const eximCertificate = (about: About): Recipe => ({
  name: 'Exim',
  text: `# In the main section; the certificate file holds the leaf, then the intermediates:
tls_advertise_hosts = *
tls_certificate = /etc/exim/tls/${host(about)}.fullchain.pem
tls_privatekey = /etc/exim/tls/${host(about)}.key`,
})

/** Hosters hold the certificates of their own MX hosts. */
const hosted = ({ domain }: About): Recipe => ({
  name: 'Microsoft 365 or Google Workspace',
  text: `# The certificates of *.mail.protection.outlook.com and of Google's MX hosts are theirs to renew.
# What can be wrong is on your side: an MX record that still names an old host, or a policy that does not list theirs.
dig +short MX ${domain}
curl https://mta-sts.${domain}/.well-known/mta-sts.txt

# The mx lines that fit:
#   Microsoft 365:     mx: *.mail.protection.outlook.com   (*.mx.microsoft where DNSSEC is on)
#   Google Workspace:  mx: smtp.google.com                 (older set-ups: mx: *.aspmx.l.google.com, mx: aspmx.l.google.com)`,
})

const certificate = (about: About): Recipe[] => [
  look(about),
  postfixCertificate(about),
  eximCertificate(about),
  hosted(about),
]

const policyFile = (about: About): Recipe => ({
  name: 'The policy file',
  text: `# https://mta-sts.${about.domain}/.well-known/mta-sts.txt: status 200, text/plain, no redirect
version: STSv1
mode: testing
mx: ${host(about)}
max_age: 604800`,
})

const lookAtPolicy = ({ domain }: About): Recipe => ({
  name: 'See it for yourself',
  text: `curl -v https://mta-sts.${domain}/.well-known/mta-sts.txt
dig +short TXT _mta-sts.${domain}`,
})

const newId = ({ domain }: About): Recipe => ({
  name: 'After each change: a new id',
  text: `_mta-sts.${domain}. IN TXT "v=STSv1; id=<a value never used before, such as the time>;"`,
})

const tlsa = (about: About): Recipe[] => [
  {
    name: 'See it for yourself',
    text: `dig +dnssec TLSA _25._tcp.${host(about)}
openssl s_client -starttls smtp -connect ${host(about)}:25 -dane_tlsa_domain ${host(about)} \\
  -dane_tlsa_rrdata "$(dig +short TLSA _25._tcp.${host(about)} | head -1)" </dev/null`,
  },
  {
    name: 'The TLSA record of a certificate',
    text: `openssl x509 -in cert.pem -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum
# _25._tcp.${host(about)}. IN TLSA 3 1 1 <that hash>`,
  },
]

/** Result type -> recipes; none for what only the reason code can tell. */
export const recipes: Partial<Record<string, (about: About) => Recipe[]>> = {
  'starttls-not-supported': (about) => [
    {
      name: 'See it for yourself',
      text: `openssl s_client -starttls smtp -connect ${host(about)}:25 </dev/null   # from outside your own network`,
    },
    postfixCertificate(about),
    eximCertificate(about),
  ],
  'certificate-host-mismatch': certificate,
  'certificate-expired': certificate,
  'certificate-not-trusted': certificate,
  'tlsa-invalid': tlsa,
  'dnssec-invalid': (about) => [
    { name: 'See it for yourself', text: `delv TLSA _25._tcp.${host(about)}\ndelv A ${host(about)}` },
  ],
  'dane-required': tlsa,
  'sts-policy-fetch-error': (about) => [lookAtPolicy(about), policyFile(about)],
  'sts-policy-invalid': (about) => [lookAtPolicy(about), policyFile(about), newId(about)],
  'sts-webpki-invalid': (about) => [
    lookAtPolicy(about),
    { name: 'A certificate for the policy host', text: `certbot certonly --nginx -d mta-sts.${about.domain}` },
  ],
  'validation-failure': (about) => [
    {
      name: 'See it for yourself',
      text: `dig +short MX ${about.domain}\ncurl https://mta-sts.${about.domain}/.well-known/mta-sts.txt`,
    },
    policyFile(about),
    newId(about),
  ],
}
