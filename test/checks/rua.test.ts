import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOnUsualPort, isOwnRua, mailDomainOf, placeOfOwn } from '../../src/checks/rua.ts'

const own = ['mailto:tls@reports.example', 'https://reports.example/v1/tlsrpt']

test('an address is ours in any letter case, with a query or a token behind it, and no other', () => {
  for (const uri of [
    ...own,
    'MAILTO:TLS@Reports.example',
    'mailto:tls@reports.example?subject=x',
    'https://REPORTS.example/v1/tlsrpt/',
    'https://reports.example:443/v1/tlsrpt/a-token',
  ]) {
    // prettier-ignore
    assert.ok(isOwnRua(uri, own), uri)
  }
  for (const uri of [
    'mailto:tls@reports.example.com',
    'mailto:x@reports.example',
    'https://reports.example/v1/tlsrptx',
    'https://reports.example/',
    'http://reports.example/v1/tlsrpt',
    'https://reports.example.com/v1/tlsrpt',
    'nonsense',
  ]) {
    // prettier-ignore
    assert.ok(!isOwnRua(uri, own), uri)
  }
})

test('the first of ours has a place, or there is none', () => {
  assert.equal(placeOfOwn(['mailto:a@b.example', own[1]!, own[0]!], own), 1)
  assert.equal(placeOfOwn(['mailto:a@b.example'], own), undefined)
})

test('a mail address has a domain, and a URL may have a port that is not called', () => {
  assert.equal(mailDomainOf('mailto:a@B.example?subject=x'), 'b.example')
  assert.equal(mailDomainOf('https://b.example'), undefined)
  assert.ok(isOnUsualPort('mailto:a@b.example') && isOnUsualPort('https://b.example/x') && isOnUsualPort('https://b.example:443')) // prettier-ignore
  assert.ok(!isOnUsualPort('https://b.example:8443/') && !isOnUsualPort('nonsense'))
})
