/** RFC 8461 §3.3: ready texts to serve a policy at https://mta-sts.DOMAIN/.well-known/mta-sts.txt. */

export type HostingText = { name: 'nginx' | 'caddy' | 'cloudflare-worker' | 'github-pages'; title: string; text: string } // prettier-ignore

/** `policyText` as formatPolicy makes it: nothing in it has to be escaped. */
export function hostingTexts(domain: string, policyText: string): HostingText[] {
  const host = `mta-sts.${domain}`
  const lines = policyText.trimEnd().split(/\r?\n/)
  return [
    { name: 'nginx', title: 'nginx: a server block', text: nginx(host, lines) },
    { name: 'caddy', title: 'Caddy: a site, with a certificate by itself', text: caddy(host, lines) },
    { name: 'cloudflare-worker', title: 'Cloudflare Worker, with the custom domain set in wrangler.toml', text: worker(host, lines) }, // prettier-ignore
    { name: 'github-pages', title: 'GitHub Pages: a repository of three files', text: pages(host, lines) },
  ]
}

const nginx = (host: string, lines: string[]) => `server {
  listen 443 ssl;
  listen [::]:443 ssl;
  server_name ${host};
  ssl_certificate     /etc/letsencrypt/live/${host}/fullchain.pem;
  ssl_certificate_key /etc/letsencrypt/live/${host}/privkey.pem;

  location = /.well-known/mta-sts.txt {
    default_type text/plain;
    return 200 "${lines.map((line) => `${line}\\r\\n`).join('')}";
  }
  location / {
    return 404;
  }
}
`

/** A quoted text over several lines is what every Caddy 2 reads, the Debian one included; it takes CRs out. */
const caddy = (host: string, lines: string[]) => `${host} {
  handle /.well-known/mta-sts.txt {
    header Content-Type text/plain
    respond "${lines.map((line) => `${line}\n`).join('')}" 200
  }
  handle {
    respond 404
  }
}
`

const worker = (
  host: string,
  lines: string[],
) => `// wrangler.toml: routes = [{ pattern = "${host}", custom_domain = true }]
const policy = [
${lines.map((line) => `  '${line}',`).join('\n')}
  '',
].join('\\r\\n')

export default {
  fetch: (request) => {
    const { pathname } = new URL(request.url)
    if (pathname !== '/.well-known/mta-sts.txt') return new Response('not found', { status: 404 })
    return new Response(policy, { headers: { 'content-type': 'text/plain' } })
  },
}
`

const pages = (host: string, lines: string[]) => `# CNAME
${host}

# .nojekyll, an empty file: without it, GitHub leaves out what begins with a dot

# .well-known/mta-sts.txt
${lines.join('\n')}

# In the DNS, with your account in place of ACCOUNT; then turn on "Enforce HTTPS":
# ${host}. CNAME ACCOUNT.github.io.
`
