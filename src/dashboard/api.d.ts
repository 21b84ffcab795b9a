/** Generated from our OpenAPI document: WRITE_CLIENT=yes npm test -- dashboard/client */
export interface paths {
  '/v1/summary': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * What failed: sums over the reports by up to four dimensions
     * @description Without a policy type to filter or group by, each report counts by one policy type, because several may describe the same sessions. A page tells the rows of the moment: where reports arrive between two pages, a row may move.
     */
    get: {
      parameters: {
        query?: {
          /** @description Up to 4, comma-separated or repeated. */
          group_by?: (
            | 'domain'
            | 'policy_domain'
            | 'policy_type'
            | 'policy_mode'
            | 'organization'
            | 'reporter'
            | 'trust'
            | 'transport'
            | 'day'
            | 'week'
            | 'month'
            | 'result_type'
            | 'receiving_mx_hostname'
            | 'sending_mta_ip'
            | 'receiving_ip'
            | 'failure_reason_code'
          )[]
          /** @description Domain of ours. May be repeated: any of the values. */
          domain?: string[]
          /** @description Policy domain as the sender had it: ours, a subdomain, or with DANE the MX host. May be repeated: any of the values. */
          policy_domain?: string[]
          /** @description `sts`, `tlsa`, `no-policy-found`, or what a sender made up. May be repeated: any of the values. */
          policy_type?: string[]
          /** @description Mode of an STS policy. An empty value finds what has none. May be repeated: any of the values. */
          policy_mode?: string[]
          /** @description organization-name, a label anyone can write; exactly as written. An empty value finds what has none. May be repeated: any of the values. */
          organization?: string[]
          /** @description Organisational domain behind the DKIM signature. An empty value finds what has none. May be repeated: any of the values. */
          reporter?: string[]
          /** @description How it came. May be repeated: any of the values. */
          transport?: ('smtp' | 'https' | 'file')[]
          /** @description UTC day on which the report starts. May be repeated: any of the values. */
          day?: string[]
          /** @description Week by its Monday. May be repeated: any of the values. */
          week?: string[]
          /** @description Month by its first day. May be repeated: any of the values. */
          month?: string[]
          /** @description See `/v1/result-types`; senders may make up others. May be repeated: any of the values. */
          result_type?: string[]
          /** @description MX that failed, in any spelling. An empty value finds what has none. May be repeated: any of the values. */
          receiving_mx_hostname?: string[]
          /** @description Address or CIDR that could not send. An empty value finds what has none. May be repeated: any of the values. */
          sending_mta_ip?: string[]
          /** @description Address or CIDR that was connected to. An empty value finds what has none. May be repeated: any of the values. */
          receiving_ip?: string[]
          /** @description As the sender wrote it. An empty value finds what has none. May be repeated: any of the values. */
          failure_reason_code?: string[]
          /** @description Whose word the main numbers are: `verified` (the default), `unverified` alone, or `any` for both added up. Grouped by trust, the default is `any`. */
          trust?: 'verified' | 'unverified' | 'any'
          /** @description A number of the rows or one of the groupings; `-` for descending. Absent values come last. */
          order_by?:
            | 'successful'
            | '-successful'
            | 'failed'
            | '-failed'
            | 'failure_rate'
            | '-failure_rate'
            | 'unattributed_failed'
            | '-unattributed_failed'
            | 'reports'
            | '-reports'
            | 'reporters'
            | '-reporters'
            | 'first_seen'
            | '-first_seen'
            | 'last_seen'
            | '-last_seen'
            | 'domain'
            | '-domain'
            | 'policy_domain'
            | '-policy_domain'
            | 'policy_type'
            | '-policy_type'
            | 'policy_mode'
            | '-policy_mode'
            | 'organization'
            | '-organization'
            | 'reporter'
            | '-reporter'
            | 'trust'
            | '-trust'
            | 'transport'
            | '-transport'
            | 'day'
            | '-day'
            | 'week'
            | '-week'
            | 'month'
            | '-month'
            | 'result_type'
            | '-result_type'
            | 'receiving_mx_hostname'
            | '-receiving_mx_hostname'
            | 'sending_mta_ip'
            | '-sending_mta_ip'
            | 'receiving_ip'
            | '-receiving_ip'
            | 'failure_reason_code'
            | '-failure_reason_code'
          /** @description First UTC day, `YYYY-MM-DD`. Default: 30 days before `to`. */
          from?: string
          /** @description The UTC day after the last one. Default: tomorrow, so that today is included. */
          to?: string
          /** @description Rows in a page. */
          limit?: number
          /** @description `page.next_cursor` of the page before; all other parameters as there. */
          cursor?: string
        }
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Rows; a page that is not the last one has a Link to the next. As CSV with `Accept: text/csv`. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              data: components['schemas']['SummaryRow'][]
              totals: components['schemas']['Totals']
              page: components['schemas']['Page']
              window: components['schemas']['Window']
            }
            'text/csv': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/timeseries': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * How it moved: the same sums by day, week or month
     * @description Oldest first. An interval without any report has no row: that is a gap, not a zero. At most 20000 rows.
     */
    get: {
      parameters: {
        query?: {
          /** @description Weeks start on Monday. */
          interval?: 'day' | 'week' | 'month'
          /** @description One row for each value in each interval. */
          split_by?:
            | 'domain'
            | 'policy_domain'
            | 'policy_type'
            | 'policy_mode'
            | 'organization'
            | 'reporter'
            | 'trust'
            | 'transport'
            | 'result_type'
            | 'receiving_mx_hostname'
            | 'sending_mta_ip'
            | 'receiving_ip'
            | 'failure_reason_code'
          /** @description Domain of ours. May be repeated: any of the values. */
          domain?: string[]
          /** @description Policy domain as the sender had it: ours, a subdomain, or with DANE the MX host. May be repeated: any of the values. */
          policy_domain?: string[]
          /** @description `sts`, `tlsa`, `no-policy-found`, or what a sender made up. May be repeated: any of the values. */
          policy_type?: string[]
          /** @description Mode of an STS policy. An empty value finds what has none. May be repeated: any of the values. */
          policy_mode?: string[]
          /** @description organization-name, a label anyone can write; exactly as written. An empty value finds what has none. May be repeated: any of the values. */
          organization?: string[]
          /** @description Organisational domain behind the DKIM signature. An empty value finds what has none. May be repeated: any of the values. */
          reporter?: string[]
          /** @description How it came. May be repeated: any of the values. */
          transport?: ('smtp' | 'https' | 'file')[]
          /** @description UTC day on which the report starts. May be repeated: any of the values. */
          day?: string[]
          /** @description Week by its Monday. May be repeated: any of the values. */
          week?: string[]
          /** @description Month by its first day. May be repeated: any of the values. */
          month?: string[]
          /** @description See `/v1/result-types`; senders may make up others. May be repeated: any of the values. */
          result_type?: string[]
          /** @description MX that failed, in any spelling. An empty value finds what has none. May be repeated: any of the values. */
          receiving_mx_hostname?: string[]
          /** @description Address or CIDR that could not send. An empty value finds what has none. May be repeated: any of the values. */
          sending_mta_ip?: string[]
          /** @description Address or CIDR that was connected to. An empty value finds what has none. May be repeated: any of the values. */
          receiving_ip?: string[]
          /** @description As the sender wrote it. An empty value finds what has none. May be repeated: any of the values. */
          failure_reason_code?: string[]
          /** @description As in `/v1/summary`. */
          trust?: 'verified' | 'unverified' | 'any'
          /** @description First UTC day, `YYYY-MM-DD`. Default: 30 days before `to`. */
          from?: string
          /** @description The UTC day after the last one. Default: tomorrow, so that today is included. */
          to?: string
        }
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Rows; a page that is not the last one has a Link to the next. As CSV with `Accept: text/csv`. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              data: components['schemas']['TimeseriesRow'][]
              window: components['schemas']['Window']
            }
            'text/csv': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/causes': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * What goes wrong where, since when, and what to do about it
     * @description A row for each domain, result type and receiving MX with a failure in the window. What is going on comes first, then what enforce refuses, then by failed sessions. A page tells the rows of the moment: where reports arrive between two pages, a row may move.
     */
    get: {
      parameters: {
        query?: {
          /** @description Domain of ours. May be repeated: any of the values. */
          domain?: string[]
          /** @description See `/v1/result-types`; senders may make up others. May be repeated: any of the values. */
          result_type?: string[]
          /** @description MX that failed, in any spelling. An empty value finds what has none. May be repeated: any of the values. */
          receiving_mx_hostname?: string[]
          /** @description As in `/v1/summary`. */
          trust?: 'verified' | 'unverified' | 'any'
          /** @description First UTC day, `YYYY-MM-DD`. Default: 30 days before `to`. */
          from?: string
          /** @description The UTC day after the last one. Default: tomorrow, so that today is included. */
          to?: string
          /** @description Rows in a page. */
          limit?: number
          /** @description `page.next_cursor` of the page before; all other parameters as there. */
          cursor?: string
        }
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Rows; a page that is not the last one has a Link to the next. As CSV with `Accept: text/csv`. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              data: components['schemas']['Cause'][]
              page: components['schemas']['Page']
              window: components['schemas']['Window']
            }
            'text/csv': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/failures': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Failure details, one by one
     * @description Of counted reports, newest day first.
     */
    get: {
      parameters: {
        query?: {
          /** @description Domain of ours. May be repeated: any of the values. */
          domain?: string[]
          /** @description Policy domain as the sender had it: ours, a subdomain, or with DANE the MX host. May be repeated: any of the values. */
          policy_domain?: string[]
          /** @description `sts`, `tlsa`, `no-policy-found`, or what a sender made up. May be repeated: any of the values. */
          policy_type?: string[]
          /** @description Mode of an STS policy. An empty value finds what has none. May be repeated: any of the values. */
          policy_mode?: string[]
          /** @description organization-name, a label anyone can write; exactly as written. An empty value finds what has none. May be repeated: any of the values. */
          organization?: string[]
          /** @description Organisational domain behind the DKIM signature. An empty value finds what has none. May be repeated: any of the values. */
          reporter?: string[]
          /** @description How it came. May be repeated: any of the values. */
          transport?: ('smtp' | 'https' | 'file')[]
          /** @description UTC day on which the report starts. May be repeated: any of the values. */
          day?: string[]
          /** @description Week by its Monday. May be repeated: any of the values. */
          week?: string[]
          /** @description Month by its first day. May be repeated: any of the values. */
          month?: string[]
          /** @description See `/v1/result-types`; senders may make up others. May be repeated: any of the values. */
          result_type?: string[]
          /** @description MX that failed, in any spelling. An empty value finds what has none. May be repeated: any of the values. */
          receiving_mx_hostname?: string[]
          /** @description Address or CIDR that could not send. An empty value finds what has none. May be repeated: any of the values. */
          sending_mta_ip?: string[]
          /** @description Address or CIDR that was connected to. An empty value finds what has none. May be repeated: any of the values. */
          receiving_ip?: string[]
          /** @description As the sender wrote it. An empty value finds what has none. May be repeated: any of the values. */
          failure_reason_code?: string[]
          /** @description Of these reports only. May be repeated: any of the values. */
          report_key?: string[]
          /** @description Which are shown. */
          trust?: 'verified' | 'unverified' | 'any'
          /** @description First UTC day, `YYYY-MM-DD`. Default: 30 days before `to`. */
          from?: string
          /** @description The UTC day after the last one. Default: tomorrow, so that today is included. */
          to?: string
          /** @description Rows in a page. */
          limit?: number
          /** @description `page.next_cursor` of the page before; all other parameters as there. */
          cursor?: string
        }
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Rows; a page that is not the last one has a Link to the next. As CSV with `Accept: text/csv`. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              data: components['schemas']['Failure'][]
              page: components['schemas']['Page']
              window: components['schemas']['Window']
            }
            'text/csv': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/policy-versions': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Which policies senders applied, by whom and when
     * @description By domain, those seen last first: what differs in mode, MX hosts or any other line is another version. A page tells the rows of the moment: where reports arrive between two pages, a row may move.
     */
    get: {
      parameters: {
        query?: {
          /** @description `day`: a row for each day of a version. */
          by?: 'version' | 'day'
          /** @description Domain of ours. May be repeated: any of the values. */
          domain?: string[]
          /** @description Policy domain as the sender had it: ours, a subdomain, or with DANE the MX host. May be repeated: any of the values. */
          policy_domain?: string[]
          /** @description `sts`, `tlsa`, `no-policy-found`, or what a sender made up. May be repeated: any of the values. */
          policy_type?: string[]
          /** @description Mode of an STS policy. An empty value finds what has none. May be repeated: any of the values. */
          policy_mode?: string[]
          /** @description Organisational domain behind the DKIM signature. An empty value finds what has none. May be repeated: any of the values. */
          reporter?: string[]
          /** @description organization-name, a label anyone can write; exactly as written. An empty value finds what has none. May be repeated: any of the values. */
          organization?: string[]
          /** @description As in `/v1/summary`. */
          trust?: 'verified' | 'unverified' | 'any'
          /** @description First UTC day, `YYYY-MM-DD`. Default: 30 days before `to`. */
          from?: string
          /** @description The UTC day after the last one. Default: tomorrow, so that today is included. */
          to?: string
          /** @description Rows in a page. */
          limit?: number
          /** @description `page.next_cursor` of the page before; all other parameters as there. */
          cursor?: string
        }
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Rows; a page that is not the last one has a Link to the next. As CSV with `Accept: text/csv`. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              data: components['schemas']['PolicyVersion'][]
              page: components['schemas']['Page']
              window: components['schemas']['Window']
            }
            'text/csv': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/reports': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Reports, counted or not
     * @description Newest day first. The window is over the days on which they start.
     */
    get: {
      parameters: {
        query?: {
          /** @description Domain of ours. May be repeated: any of the values. */
          domain?: string[]
          /** @description Policy domain as the sender had it: ours, a subdomain, or with DANE the MX host. May be repeated: any of the values. */
          policy_domain?: string[]
          /** @description `sts`, `tlsa`, `no-policy-found`, or what a sender made up. May be repeated: any of the values. */
          policy_type?: string[]
          /** @description Mode of an STS policy. An empty value finds what has none. May be repeated: any of the values. */
          policy_mode?: string[]
          /** @description See `/v1/result-types`; senders may make up others. May be repeated: any of the values. */
          result_type?: string[]
          /** @description MX that failed, in any spelling. An empty value finds what has none. May be repeated: any of the values. */
          receiving_mx_hostname?: string[]
          /** @description Organisational domain behind the DKIM signature. An empty value finds what has none. May be repeated: any of the values. */
          reporter?: string[]
          /** @description organization-name, a label anyone can write; exactly as written. An empty value finds what has none. May be repeated: any of the values. */
          organization?: string[]
          /** @description Code of something odd about it, such as `organization-name-missing`. May be repeated: any of the values. */
          anomaly?: string[]
          /** @description report-id, exactly as written. May be repeated: any of the values. */
          report_id?: string[]
          /** @description Why it counts or does not. May be repeated: any of the values. */
          standing?: ('counted' | 'superseded' | 'conflict' | 'contested' | 'implausible' | 'excluded' | 'blocked')[]
          /** @description How it came. May be repeated: any of the values. */
          transport?: ('smtp' | 'https' | 'file')[]
          /** @description Which are shown. */
          trust?: 'verified' | 'unverified' | 'any'
          /** @description First UTC day, `YYYY-MM-DD`. Default: 30 days before `to`. */
          from?: string
          /** @description The UTC day after the last one. Default: tomorrow, so that today is included. */
          to?: string
          /** @description Rows in a page. */
          limit?: number
          /** @description `page.next_cursor` of the page before; all other parameters as there. */
          cursor?: string
        }
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Rows; a page that is not the last one has a Link to the next. As CSV with `Accept: text/csv`. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              data: components['schemas']['Report'][]
              page: components['schemas']['Page']
              window: components['schemas']['Window']
            }
            'text/csv': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/reports/{key}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** One report with its policies and failure details */
    get: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** @description A UUID. */
          key: string
        }
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['ReportWithPolicies']
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description There is none. */
        404: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/reports/{key}/raw': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** The bytes it came as: a whole mail, or the report as it was posted */
    get: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** @description A UUID. */
          key: string
        }
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description The bytes, as a download. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/octet-stream': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description There is none. */
        404: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/reports/{key}/json': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * The JSON that it came as, out of its mail and its gzip
     * @description As long as the bytes are kept. Of a mail with several reports it is the one of this report-id.
     */
    get: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** @description A UUID. */
          key: string
        }
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description The JSON, byte by byte as it was sent; as plain text, so that no browser does anything with it. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'text/plain': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description There is none. */
        404: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/reports/{key}/exclude': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Takes a report out of every number
     * @description The last word stands, and is noted with the name of the token. Reports of a blocked reporter never count.
     */
    post: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** @description A UUID. */
          key: string
        }
        cookie?: never
      }
      requestBody: {
        content: {
          'application/json': {
            /** @description For whoever asks later why. */
            reason?: string
          } | null
        }
      }
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['ReportWithPolicies']
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description There is none. */
        404: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description What is there does not allow it. */
        409: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The body is too large. */
        413: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The body is not JSON. */
        415: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/reports/{key}/include': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Counts a report, also where the rules would not: one of several that disagree, or one of huge counts
     * @description The last word stands, and is noted with the name of the token. Reports of a blocked reporter never count.
     */
    post: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** @description A UUID. */
          key: string
        }
        cookie?: never
      }
      requestBody: {
        content: {
          'application/json': {
            /** @description For whoever asks later why. */
            reason?: string
          } | null
        }
      }
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['ReportWithPolicies']
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description There is none. */
        404: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description What is there does not allow it. */
        409: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The body is too large. */
        413: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The body is not JSON. */
        415: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/reports/{key}/decision': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post?: never
    /** Takes the decision back: the rules decide again */
    delete: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** @description A UUID. */
          key: string
        }
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['ReportWithPolicies']
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description There is none. */
        404: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description What is there does not allow it. */
        409: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/reporters': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Who reports: how regularly, what about, and what is odd about it
     * @description By name. Whoever was ever heard of, or was given a standing. Unverified reports have no reporter.
     */
    get: {
      parameters: {
        query?: {
          /** @description Reporter, by the organisational domain behind its signature. May be repeated: any of the values. */
          domain?: string[]
          /** @description What is thought of it. May be repeated: any of the values. */
          standing?: ('known' | 'new' | 'blocked')[]
          /** @description First UTC day, `YYYY-MM-DD`. Default: 30 days before `to`. */
          from?: string
          /** @description The UTC day after the last one. Default: tomorrow, so that today is included. */
          to?: string
          /** @description Rows in a page. */
          limit?: number
          /** @description `page.next_cursor` of the page before; all other parameters as there. */
          cursor?: string
        }
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Rows; a page that is not the last one has a Link to the next. As CSV with `Accept: text/csv`. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              data: components['schemas']['Reporter'][]
              page: components['schemas']['Page']
              window: components['schemas']['Window']
            }
            'text/csv': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/reporters/{domain}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    /**
     * Sets the standing of a reporter
     * @description For a token of all domains. To block takes all that it reported out of every number, and keeps it; any other standing brings it back. A thousand reports take about a second.
     */
    patch: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** @description In any spelling: upper case, U-labels, final dot. */
          domain: string
        }
        cookie?: never
      }
      requestBody: {
        content: {
          'application/json': {
            /** @enum {string} */
            standing: 'known' | 'new' | 'blocked'
          }
        }
      }
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['Reporter']
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The body is too large. */
        413: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The body is not JSON. */
        415: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    trace?: never
  }
  '/v1/submissions': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Every arrival and its verdict
     * @description Newest first. The window is over the time of arrival.
     */
    get: {
      parameters: {
        query?: {
          /** @description Domain of ours. May be repeated: any of the values. */
          domain?: string[]
          /** @description What became of it. May be repeated: any of the values. */
          verdict?: (
            | 'accepted'
            | 'duplicate'
            | 'conflict'
            | 'quarantined'
            | 'unauthenticated'
            | 'malformed'
            | 'unreadable'
            | 'not-ours'
            | 'too-large'
          )[]
          /** @description Finer than the verdict, such as `no-signature-passes`. May be repeated: any of the values. */
          reason?: string[]
          /** @description How it came. May be repeated: any of the values. */
          transport?: ('smtp' | 'https' | 'file')[]
          /** @description Which are shown. */
          trust?: 'verified' | 'unverified' | 'any'
          /** @description First UTC day, `YYYY-MM-DD`. Default: 30 days before `to`. */
          from?: string
          /** @description The UTC day after the last one. Default: tomorrow, so that today is included. */
          to?: string
          /** @description Rows in a page. */
          limit?: number
          /** @description `page.next_cursor` of the page before; all other parameters as there. */
          cursor?: string
        }
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Rows; a page that is not the last one has a Link to the next. As CSV with `Accept: text/csv`. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              data: components['schemas']['Submission'][]
              page: components['schemas']['Page']
              window: components['schemas']['Window']
            }
            'text/csv': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    /**
     * Take a file: a report, a mail, or an mbox
     * @description The body is the file, of any media type; what it is its content says. One row for each report in it. A report without a signature that verifies is `unverified`.
     */
    post: {
      parameters: {
        query?: {
          /** @description Kept with the submission; may name the policy domain (RFC 8460 §5.1). */
          filename?: string
        }
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: {
        content: {
          'application/octet-stream': string
        }
      }
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              data: components['schemas']['Taken'][]
            }
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The body is too large. */
        413: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/submissions/{key}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** One arrival */
    get: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** @description A UUID. */
          key: string
        }
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['Submission']
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description There is none. */
        404: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/submissions/{key}/raw': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** The bytes it came as, also of what was refused, while they are kept */
    get: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** @description A UUID. */
          key: string
        }
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description The bytes, as a download. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/octet-stream': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description There is none. */
        404: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/arrivals': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * How much arrived, and what became of it, by day
     * @description Newest day first; the window is over the time of arrival. The counts add up to all that `/v1/submissions` lists. At most 20000 rows.
     */
    get: {
      parameters: {
        query?: {
          /** @description Domain of ours. May be repeated: any of the values. */
          domain?: string[]
          /** @description First UTC day, `YYYY-MM-DD`. Default: 30 days before `to`. */
          from?: string
          /** @description The UTC day after the last one. Default: tomorrow, so that today is included. */
          to?: string
        }
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Rows; a page that is not the last one has a Link to the next. As CSV with `Accept: text/csv`. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              data: components['schemas']['ArrivalCount'][]
              window: components['schemas']['Window']
            }
            'text/csv': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/submissions/{key}/replay': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Judge a submission again, by the code and the domains of today
     * @description All parts of its mail together; the answer is about this one. What was refused or quarantined and is acceptable now counts from now on; what was accepted stays, and nothing counts twice. Signatures keep the verdict of the day of arrival.
     */
    post: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** @description A UUID. */
          key: string
        }
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['JudgedAgain']
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description There is none. */
        404: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description What is there does not allow it. */
        409: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/domains': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Our domains, with health at a glance
     * @description Under `POLICY_DOMAINS=*` also those that were reported on in the window. A page tells the rows of the moment: where reports arrive between two pages in the order of need, a row may move.
     */
    get: {
      parameters: {
        query?: {
          /** @description `need`: `failing` ones first, those with most failed sessions on their newest day before others; then who went silent in the window; then who had no report in it; then `healthy` ones. Among equals by name. */
          order_by?: 'domain' | 'need'
          /** @description First UTC day, `YYYY-MM-DD`. Default: 30 days before `to`. */
          from?: string
          /** @description The UTC day after the last one. Default: tomorrow, so that today is included. */
          to?: string
          /** @description Rows in a page. */
          limit?: number
          /** @description `page.next_cursor` of the page before; all other parameters as there. */
          cursor?: string
        }
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Rows; a page that is not the last one has a Link to the next. As CSV with `Accept: text/csv`. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              data: components['schemas']['Domain'][]
              page: components['schemas']['Page']
              window: components['schemas']['Window']
            }
            'text/csv': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/domain-names': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Our domains by name alone
     * @description Those of `/v1/domains`, in the same orders, for a fraction of its cost: which of thousands need somebody.
     */
    get: {
      parameters: {
        query?: {
          /** @description `need`: `failing` ones first, those with most failed sessions on their newest day before others; then who went silent in the window; then who had no report in it; then `healthy` ones. Among equals by name. */
          order_by?: 'domain' | 'need'
          /** @description First UTC day, `YYYY-MM-DD`. Default: 30 days before `to`. */
          from?: string
          /** @description The UTC day after the last one. Default: tomorrow, so that today is included. */
          to?: string
          /** @description Rows in a page. */
          limit?: number
          /** @description `page.next_cursor` of the page before; all other parameters as there. */
          cursor?: string
        }
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Rows; a page that is not the last one has a Link to the next. As CSV with `Accept: text/csv`. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              data: components['schemas']['DomainName'][]
              page: components['schemas']['Page']
              window: components['schemas']['Window']
            }
            'text/csv': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/domains/{domain}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** One domain of ours */
    get: {
      parameters: {
        query?: {
          /** @description First UTC day, `YYYY-MM-DD`. Default: 30 days before `to`. */
          from?: string
          /** @description The UTC day after the last one. Default: tomorrow, so that today is included. */
          to?: string
        }
        header?: never
        path: {
          /** @description In any spelling: upper case, U-labels, final dot. */
          domain: string
        }
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['Domain']
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description There is none. */
        404: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    /**
     * Makes a domain ours, or replaces how it is
     * @description A token of some domains lists no hosts: whose a host is, is for the operator to say.
     */
    put: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** @description In any spelling: upper case, U-labels, final dot. */
          domain: string
        }
        cookie?: never
      }
      requestBody: {
        content: {
          'application/json': {
            /** @description Default: true. */
            include_subdomains?: boolean
            /** @description Hosts that serve it and are not under it. */
            mx?: string[]
          } | null
        }
      }
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['Domain']
          }
        }
        /** @description Default Response */
        201: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['Domain']
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description There is none. */
        404: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description What is there does not allow it. */
        409: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The body is too large. */
        413: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The body is not JSON. */
        415: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    post?: never
    /** Makes a domain no longer ours; what came for it stays, unless it is purged */
    delete: {
      parameters: {
        query?: {
          /** @description `true` erases all that is kept of it, bytes included, also where it was removed before. */
          purge?: 'true' | 'false'
        }
        header?: never
        path: {
          /** @description In any spelling: upper case, U-labels, final dot. */
          domain: string
        }
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['Purged']
          }
        }
        /** @description Done. */
        204: {
          headers: {
            [name: string]: unknown
          }
          content?: never
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description There is none. */
        404: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description What is there does not allow it. */
        409: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/tokens': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * All tokens but the first, without what opens anything
     * @description Newest first, revoked ones as well. A token of some domains is shown those for no others.
     */
    get: {
      parameters: {
        query?: {
          /** @description Rows in a page. */
          limit?: number
          /** @description `page.next_cursor` of the page before; all other parameters as there. */
          cursor?: string
        }
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Rows; a page that is not the last one has a Link to the next. As CSV with `Accept: text/csv`. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              data: components['schemas']['Token'][]
              page: components['schemas']['Page']
            }
            'text/csv': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    /**
     * Makes a token, and tells it this once
     * @description A token of some domains makes none for others.
     */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: {
        content: {
          'application/json': {
            /** @description For people: whose it is, or what for. */
            name: string
            /** @description `read`: what stands here. `write`: to change it. `admin`: both, and tokens. `ingest`: to post reports to the intake at `/v1/tlsrpt/{token}`, and nothing else. */
            scopes: ('read' | 'write' | 'ingest' | 'admin')[]
            /** @description The domains it may see and change, as `/v1/domains` has them; of an intake token, those that its posts may be about. Empty: every domain. */
            domains?: string[]
          }
        }
      }
      responses: {
        /** @description Default Response */
        201: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              /** Format: uuid */
              key: string
              /** @description 256 random bits. */
              token: string
            }
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The body is too large. */
        413: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The body is not JSON. */
        415: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/tokens/{key}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post?: never
    /** Revokes a token for good: here at once, by other instances within a second */
    delete: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** @description A UUID. */
          key: string
        }
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Done. */
        204: {
          headers: {
            [name: string]: unknown
          }
          content?: never
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description There is none. */
        404: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/session': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Who asks, and what he may */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['Session']
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    /**
     * Signs a browser in
     * @description Sets a cookie, which is good for what the token is good for, until it ends or the token is revoked. With it, everything but `GET` is refused (`cross-site`) unless a page of the same origin asks, as `Sec-Fetch-Site` or `Origin` say.
     */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: {
        content: {
          'application/json': {
            /** @description As for `Authorization: Bearer`. */
            token: string
          }
        }
      }
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['Session']
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The body is too large. */
        413: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The body is not JSON. */
        415: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    /** Signs a browser out */
    delete: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Done, or there was none. */
        204: {
          headers: {
            [name: string]: unknown
          }
          content?: never
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/result-types': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** What each result type means, and how to fix it */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Rows; a page that is not the last one has a Link to the next. As CSV with `Accept: text/csv`. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              data: components['schemas']['ResultType'][]
            }
            'text/csv': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/instance': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Where reports are to be sent, and the record that says so */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['Instance']
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/checks': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Checks that were made
     * @description Newest first. The window is over the time of the check. The hundred newest of a domain are kept.
     */
    get: {
      parameters: {
        query?: {
          /** @description Which was checked. May be repeated: any of the values. */
          domain?: string[]
          /** @description First UTC day, `YYYY-MM-DD`. Default: 30 days before `to`. */
          from?: string
          /** @description The UTC day after the last one. Default: tomorrow, so that today is included. */
          to?: string
          /** @description Rows in a page. */
          limit?: number
          /** @description `page.next_cursor` of the page before; all other parameters as there. */
          cursor?: string
        }
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Rows; a page that is not the last one has a Link to the next. As CSV with `Accept: text/csv`. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              data: components['schemas']['CheckRow'][]
              page: components['schemas']['Page']
              window: components['schemas']['Window']
            }
            'text/csv': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    /**
     * Looks at a domain from outside, now
     * @description Takes up to a minute. With `Accept: text/event-stream` the answer is a stream of events: `progress` for each step that begins or ends, and at last `check`, or `problem`. No mail is sent.
     */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: {
        content: {
          'application/json': {
            /** @description In any spelling. */
            domain: string
          }
        }
      }
      responses: {
        /** @description The check. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['Check']
            'text/event-stream': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description There is none. */
        404: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The body is too large. */
        413: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The body is not JSON. */
        415: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/checks/{key}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** One check, and what has changed since the one before */
    get: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** @description A UUID. */
          key: string
        }
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['Check']
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description There is none. */
        404: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/records/{domain}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * What to publish for a domain
     * @description A valid live policy that lists every MX host is kept as it is; without one, testing comes first.
     */
    get: {
      parameters: {
        query?: never
        header?: never
        path: {
          /** @description In any spelling. */
          domain: string
        }
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['Records']
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description There is none. */
        404: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/domains/{domain}/readiness': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Whether it is safe to enforce MTA-STS
     * @description By verified reports of known reporters under the policy published now, and by the last check; never from hope. Every failure that an enforcing sender would turn into refused mail stands in the way until one of the reporters that told of it tells of a later day without it, and enough sessions succeeded since.
     */
    get: {
      parameters: {
        query?: {
          /** @description Successful sessions since the last failure that are enough. */
          min_sessions?: number
          /** @description Reporters among them that are enough. */
          min_reporters?: number
          /** @description First UTC day, `YYYY-MM-DD`. Default: 30 days before `to`. */
          from?: string
          /** @description The UTC day after the last one. Default: tomorrow, so that today is included. */
          to?: string
        }
        header?: never
        path: {
          /** @description In any spelling: upper case, U-labels, final dot. */
          domain: string
        }
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['Readiness']
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description There is none. */
        404: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/selftest': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Sends reports to this instance as the domain has published
     * @description By mail and by HTTPS, to the names in its TLSRPT record. Takes up to two minutes. The reports are about nobody’s domain: they are refused, listed among the refusals, and count nowhere.
     */
    post: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody: {
        content: {
          'application/json': {
            /** @description In any spelling. */
            domain: string
          }
        }
      }
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': components['schemas']['SelfTest']
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description No valid token, and no session. */
        401: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The token is good, but not for this; or a browser asks for another site (`cross-site`). */
        403: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description There is none. */
        404: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The body is too large. */
        413: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The body is not JSON. */
        415: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/healthz': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Whether the process lives; asks nothing of the database */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              /** @enum {string} */
              status: 'ok'
            }
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/readyz': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Whether it can take and answer; senders are told to come back while it cannot */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              ready: boolean
              /** @description Why it is not. */
              reasons: string[]
            }
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description It is not, or cannot tell. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              ready: boolean
              /** @description Why it is not. */
              reasons: string[]
            }
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/version': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Which service this is */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              name: string
              version: string
            }
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/metrics': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Counters and gauges of this instance, for Prometheus */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Text format 0.0.4. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'text/plain': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/v1/openapi.json': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** This document */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Default Response */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/json': {
              openapi: string
            } & {
              [key: string]: unknown
            }
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/docs': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** This document, as a page */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Text. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'text/html': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/docs/style.css': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** How that page looks */
    get: {
      parameters: {
        query?: never
        header?: never
        path?: never
        cookie?: never
      }
      requestBody?: never
      responses: {
        /** @description Text. */
        200: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'text/css': string
          }
        }
        /** @description A parameter or the body is wrong; `errors` names each. */
        400: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description Too many requests or failed sign-ins from this address; Retry-After says how long to wait. */
        429: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
        /** @description The database is away or overloaded; Retry-After says how long to wait. */
        503: {
          headers: {
            [name: string]: unknown
          }
          content: {
            'application/problem+json': components['schemas']['Problem']
          }
        }
      }
    }
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
}
export type webhooks = Record<string, never>
export interface components {
  schemas: {
    /** @description A whole number; as a decimal string where it is beyond 2^53-1. */
    Count: number | string
    /** @description RFC 9457. */
    Problem: {
      /** @description `urn:tlsrpt-receiver:problem:` and the name of the problem; stable, for programs. */
      type: string
      title: string
      status: number
      /** @description For a person. */
      detail: string
      /** @description The name again; stable. */
      reason: string
      errors?: {
        /** @description Name of the parameter that is wrong. */
        parameter?: string
        /** @description JSON pointer to what is wrong in the body. */
        pointer?: string
        message: string
      }[]
      /** @description The log has it, too. */
      request_id: string
    }
    /** @description Whole UTC days, [from, to). */
    Window: {
      /** Format: date */
      from: string
      /** Format: date */
      to: string
    }
    Page: {
      /** @description Null on the last page. */
      next_cursor: string | null
    }
    /** @description Null is what the sender did not say. */
    Failure: {
      /** @description `<report_key>.<seq of the policy>.<seq in the policy>` */
      key: string
      /** Format: uuid */
      report_key: string
      /** Format: date */
      day: string
      domain: string
      policy_domain: string
      policy_type: string
      /** @description False: another policy type of the report stands for its sessions. */
      primary: boolean
      result_type: string
      /** @description As written where it is no address. */
      sending_mta_ip: string | null
      receiving_mx_hostname: string | null
      receiving_mx_helo: string | null
      /** @description As written where it is no address. */
      receiving_ip: string | null
      /** @description Sessions. */
      failed_session_count: components['schemas']['Count']
      /** @description Untrusted text, by the RFC a URI. */
      additional_information: string | null
      /** @description Untrusted text. */
      failure_reason_code: string | null
      organization: string | null
      reporter: string | null
      /** @enum {string} */
      trust: 'verified' | 'unverified'
    }
    /** @description The same over reports that nobody stands behind; in no other number by default. */
    Unverified: {
      /** @description Sessions; null where a dimension of failure details groups or filters. */
      successful: components['schemas']['Count'] | null
      /** @description Sessions. */
      failed: components['schemas']['Count']
      reports: components['schemas']['Count']
    }
    /** @description Each grouping under its own name; null is what the sender did not say. */
    SummaryRow: {
      domain?: string | null
      policy_domain?: string | null
      policy_type?: string | null
      policy_mode?: string | null
      organization?: string | null
      reporter?: string | null
      trust?: string | null
      transport?: string | null
      day?: string | null
      week?: string | null
      month?: string | null
      result_type?: string | null
      receiving_mx_hostname?: string | null
      sending_mta_ip?: string | null
      receiving_ip?: string | null
      failure_reason_code?: string | null
      /** @description Sessions; null where a dimension of failure details groups or filters. */
      successful: components['schemas']['Count'] | null
      /** @description Sessions. */
      failed: components['schemas']['Count']
      /** @description failed / (successful + failed); null without sessions. */
      failure_rate: number | null
      /** @description Failed sessions by policy type, also of types that are not in `failed` because they may describe the same sessions. */
      failed_by_policy_type: {
        [key: string]: components['schemas']['Count']
      }
      /** @description `failed` minus what the failure details add up to, either sign. */
      unattributed_failed: components['schemas']['Count'] | null
      reports: components['schemas']['Count']
      /** @description Verified ones. */
      reporters: components['schemas']['Count']
      first_seen: string | null
      last_seen: string | null
      unverified: components['schemas']['Unverified']
    }
    /** @description The same question without grouping. */
    Totals: {
      /** @description Sessions; null where a dimension of failure details groups or filters. */
      successful: components['schemas']['Count'] | null
      /** @description Sessions. */
      failed: components['schemas']['Count']
      /** @description failed / (successful + failed); null without sessions. */
      failure_rate: number | null
      /** @description Failed sessions by policy type, also of types that are not in `failed` because they may describe the same sessions. */
      failed_by_policy_type: {
        [key: string]: components['schemas']['Count']
      }
      /** @description `failed` minus what the failure details add up to, either sign. */
      unattributed_failed: components['schemas']['Count'] | null
      reports: components['schemas']['Count']
      /** @description Verified ones. */
      reporters: components['schemas']['Count']
      first_seen: string | null
      last_seen: string | null
      unverified: components['schemas']['Unverified']
    }
    FailureDetail: {
      result_type: string
      /** @description As written where it is no address. */
      sending_mta_ip: string | null
      receiving_mx_hostname: string | null
      receiving_mx_helo: string | null
      /** @description As written where it is no address. */
      receiving_ip: string | null
      /** @description Sessions. */
      failed_session_count: components['schemas']['Count']
      /** @description Untrusted text, by the RFC a URI. */
      additional_information: string | null
      /** @description Untrusted text. */
      failure_reason_code: string | null
    }
    Policy: {
      policy_type: string
      policy_domain: string
      policy_mode: string | null
      policy_string: string[]
      mx_host: string[]
      /** @description Whether it stands for the sessions of the report. */
      primary: boolean
      successful: components['schemas']['Count']
      failed: components['schemas']['Count']
      /** @description `failed` minus what the failure details add up to, either sign. */
      unattributed_failed: components['schemas']['Count']
      failure_details: components['schemas']['FailureDetail'][]
    }
    ReportWithPolicies: {
      /** Format: uuid */
      key: string
      /** @description Domain of ours. A report on several has a row for each. */
      domain: string
      /**
       * Format: date
       * @description UTC day on which the range starts: the day it counts on.
       */
      day: string
      /** @description A label anyone can write. */
      organization: string | null
      contact_info: string | null
      /** @description Organisational domain behind the DKIM signature; null when unverified. */
      reporter: string | null
      /** @enum {string} */
      trust: 'verified' | 'unverified'
      /**
       * @description Why it counts or does not.
       * @enum {string}
       */
      standing: 'counted' | 'superseded' | 'conflict' | 'contested' | 'implausible' | 'excluded' | 'blocked'
      /** @description Whether it is in the numbers. */
      counted: boolean
      report_id: string
      /** Format: date-time */
      start_datetime: string
      /** Format: date-time */
      end_datetime: string
      /** Format: date-time */
      arrived_at: string
      transport: string
      /** @description Sessions, by the primary policies. */
      successful: components['schemas']['Count']
      /** @description Sessions, by the primary policies. */
      failed: components['schemas']['Count']
      /** @description Failed sessions by policy type, also of types that are not in `failed` because they may describe the same sessions. */
      failed_by_policy_type: {
        [key: string]: components['schemas']['Count']
      }
      /** @description Repairs made and oddities seen, each with a JSON pointer into the report. */
      anomalies: {
        code: string
        pointer: string
      }[]
      /**
       * Format: uuid
       * @description The arrival it was taken from.
       */
      submission_key: string
      /** @description The operator's last word on it. */
      decision: {
        /** @enum {string} */
        word: 'include' | 'exclude'
        /** @description Name of the token. */
        by: string
        /** Format: date-time */
        at: string
        reason: string | null
      } | null
      policies: components['schemas']['Policy'][]
    }
    /** @description What a signature came to on the day of arrival. */
    DkimResult: {
      /**
       * @description RFC 8601 §2.7.1.
       * @enum {string}
       */
      result: 'pass' | 'fail' | 'permerror' | 'temperror'
      reason?: string
      domain: string
      selector: string
      algorithm: string
      key_bits?: number
      /** @description Why a signature that passes is no proof all the same. */
      unacceptable: string[]
      signed_headers: string[]
    }
    /** @description How it came, as the other side told it; without what would tell who may see a part of it about the other parts. */
    Provenance:
      | {
          /** @constant */
          transport: 'smtp'
          peer_address: string
          helo: string
          mail_from: string
          rcpt_to?: string[]
          tls: boolean
        }
      | {
          /** @constant */
          transport: 'https'
          peer_address: string
          media_type?: string
          content_encoding?: string
          token?: {
            /** Format: uuid */
            key: string
            domains: string[]
          }
        }
      | {
          /** @constant */
          transport: 'file'
          file_name?: string
        }
    Submission: {
      /** Format: uuid */
      key: string
      /**
       * Format: uuid
       * @description Shared by the parts of one mail.
       */
      arrival_key: string
      /** Format: date-time */
      arrived_at: string
      transport: string
      provenance: components['schemas']['Provenance']
      /** @enum {string} */
      verdict:
        | 'accepted'
        | 'duplicate'
        | 'conflict'
        | 'quarantined'
        | 'unauthenticated'
        | 'malformed'
        | 'unreadable'
        | 'not-ours'
        | 'too-large'
      /** @description Finer than the verdict; stable. */
      reason: string | null
      trust: ('verified' | 'unverified') | null
      reporter: string | null
      /** @description Repairs made and oddities seen, each with a JSON pointer into the report. */
      anomalies: {
        code: string
        pointer: string
      }[]
      dkim: components['schemas']['DkimResult'][]
      /** @description Why it was refused; at most ten. */
      problems: {
        code: string
        pointer: string
        message: string
      }[]
      reports: {
        /** Format: uuid */
        key: string
        domain: string
        /** @enum {string} */
        verdict: 'accepted' | 'duplicate' | 'conflict'
      }[]
    }
    /** @description What splits under its own name; null is what the sender did not say. */
    TimeseriesRow: {
      /**
       * Format: date
       * @description First day of the interval.
       */
      bucket: string
      domain?: string | null
      policy_domain?: string | null
      policy_type?: string | null
      policy_mode?: string | null
      organization?: string | null
      reporter?: string | null
      trust?: string | null
      transport?: string | null
      result_type?: string | null
      receiving_mx_hostname?: string | null
      sending_mta_ip?: string | null
      receiving_ip?: string | null
      failure_reason_code?: string | null
      /** @description Sessions; null where a dimension of failure details groups or filters. */
      successful: components['schemas']['Count'] | null
      /** @description Sessions. */
      failed: components['schemas']['Count']
      reports: components['schemas']['Count']
      unverified: components['schemas']['Unverified']
    }
    ArrivalCount: {
      /**
       * Format: date
       * @description UTC day of arrival.
       */
      day: string
      /** @enum {string} */
      transport: 'smtp' | 'https' | 'file'
      /** @enum {string} */
      verdict:
        | 'accepted'
        | 'duplicate'
        | 'conflict'
        | 'quarantined'
        | 'unauthenticated'
        | 'malformed'
        | 'unreadable'
        | 'not-ours'
        | 'too-large'
      /** @description Finer than the verdict; null where that says it all. */
      reason: string | null
      /** @description Submissions. */
      count: components['schemas']['Count']
      /** @description Of what is kept of them as they came, for its time. What came as one mail has them beside its first part, and where it is also about domains of others nowhere. */
      bytes: components['schemas']['Count']
    }
    Cause: {
      /** @description Domain of ours. */
      domain: string
      result_type: string
      /** @description Null where the sender did not say. */
      receiving_mx_hostname: string | null
      /** @description All of this in one sentence. */
      headline: string
      /** @description What it comes of, by the policy that it failed under, the reason codes and the last check; null where they tell no more. */
      because: string | null
      /** @description What the last check of the domain says of it; null where there is none. */
      live: {
        /**
         * @description `suspicious`: it fails from one network alone, others succeed, and the check is clean. `unknown`: no check of the last two days could show it.
         * @enum {string}
         */
        state: 'still-broken' | 'fixed' | 'cannot-be-reproduced' | 'suspicious' | 'unknown'
        /** @description Of `fixed`: the day of the first check without it. */
        since: string | null
        sentence: string
        /** Format: date-time */
        checked_at: string
      } | null
      /** @description It failed on the newest day of the window with a report on the domain, by `trust`. */
      ongoing: boolean
      /**
       * Format: date
       * @description First day of the run of days that failed, up to the last one: it may lie up to a year before the window. Days without a report on the domain break no run.
       */
      since: string
      /**
       * Format: date
       * @description Last day of that run.
       */
      until: string
      /**
       * Format: date
       * @description In the window.
       */
      first_seen: string
      /**
       * Format: date
       * @description In the window.
       */
      last_seen: string
      /** @description Whether a sender that enforces then does not deliver to that MX; null for a sender's own word. */
      enforce_refuses: boolean | null
      /** @description Null for a sender's own word. */
      meaning: string | null
      /** @description Null for a sender's own word. */
      fix: string | null
      /** @description Sessions, by the primary policies. */
      failed: components['schemas']['Count']
      /** @description Failed sessions by policy type, also of types that are not in `failed` because they may describe the same sessions. */
      failed_by_policy_type: {
        [key: string]: components['schemas']['Count']
      }
      reports: components['schemas']['Count']
      /** @description Verified ones. */
      reporters: components['schemas']['Count']
      /** @description The same over reports that nobody stands behind. */
      unverified: {
        /** @description Sessions, by the primary policies. */
        failed: components['schemas']['Count']
        reports: components['schemas']['Count']
      }
      /**
       * @description Whose word the headline, the days and the lists are: as asked for, or `unverified` where nobody else tells of it.
       * @enum {string}
       */
      trust: 'verified' | 'unverified' | 'any'
      /** @description Those of the headline, by `trust`: `failed`, or where only other policies than the primary ones fail, what the policy type with most says. */
      sessions: components['schemas']['Count']
      /** @description At most ten, those with most failures first. */
      reporter_domains: string[]
      /** @description What unverified reports call themselves; at most ten, those with most failures first. */
      organizations: string[]
      /** @description Untrusted text; at most five, those with most failures first. */
      reason_codes: {
        failure_reason_code: string
        failed: components['schemas']['Count']
      }[]
      /** @description Under which it failed; those seen last first. */
      policy_types: string[]
      /** @description Likewise. */
      policy_modes: string[]
    }
    Finding: {
      /** @description Stable, kebab-case. */
      code: string
      /** @enum {string} */
      severity: 'ok' | 'advice' | 'warning' | 'error'
      /** @description What it is about: a name of the DNS, an MX host, or one with an address behind it. */
      subject: string
      sentence: string
      /** @description What was seen, a line each. Untrusted text. */
      evidence: string[]
      fix?: string
      /** @description To be copied as it stands. */
      value?: string
    }
    CertificateObserved: {
      names: string[]
      issuer: string
      /** Format: date-time */
      valid_from: string
      /** Format: date-time */
      valid_to: string
      /** @description SHA-256 of the certificate, hex. */
      fingerprint: string
      /** @description SHA-256 of its public key, hex. */
      public_key_fingerprint: string
      problems: string[]
    }
    MxObserved: {
      host: string
      preference: number
      /** @description Those of the policy that cover it. */
      patterns: string[]
      /** @description What a sender would do with it in mode enforce. */
      enforce: string
      addresses: {
        address: string
        greeting?: string
        offers_starttls?: boolean
        tls_version?: string
        certificate?: components['schemas']['CertificateObserved']
        /** @description Why it could not be seen. */
        unseen?: string
      }[]
      tlsa?: string[]
      unseen?: string
    }
    /** @description What was seen; absent is what could not be told. Untrusted text. */
    Observed: {
      sts_record?: {
        records: string[]
        aliases: string[]
        id?: string
      }
      policy?: {
        text: string
        sha256: string
        /** @description Whether a sender would read it. */
        fetched: boolean
        valid: boolean
        mode?: string
        /** @description Seconds. */
        max_age?: number
        mx: string[]
      }
      policy_host: {
        host: string
        address?: string
        status?: number
        certificate?: components['schemas']['CertificateObserved']
        unseen?: string
      }
      mx?: components['schemas']['MxObserved'][]
      tlsrpt_record?: {
        records: string[]
        aliases: string[]
        rua: string[]
      }
    }
    CheckRow: {
      /** Format: uuid */
      key: string
      domain: string
      /** Format: date-time */
      started_at: string
      /** Format: date-time */
      ended_at: string
      /**
       * @description The weightiest of the findings.
       * @enum {string}
       */
      severity: 'ok' | 'advice' | 'warning' | 'error'
      /** @description Name of the token; null: the daily check. */
      asked_by: string | null
      /** @description Findings of this severity. */
      errors: number
      warnings: number
      advice: number
    }
    Change: {
      code: string
      subject: string
      sentence: string
    }
    Check: {
      /** Format: uuid */
      key: string
      domain: string
      /** Format: date-time */
      started_at: string
      /** Format: date-time */
      ended_at: string
      /**
       * @description The weightiest of the findings.
       * @enum {string}
       */
      severity: 'ok' | 'advice' | 'warning' | 'error'
      /** @description Name of the token; null: the daily check. */
      asked_by: string | null
      findings: components['schemas']['Finding'][]
      observed: components['schemas']['Observed']
      /** @description Since the check before it. */
      changes: components['schemas']['Change'][]
      previous_key: string | null
    }
    /** @description Sessions and reports in the window, by verified reports. */
    Domain: {
      domain: string
      include_subdomains: boolean
      /** @description Hosts that serve it and are not under it: DANE policies name the MX host. */
      mx: string[]
      /**
       * @description `environment`: it lives as long as POLICY_DOMAINS names it.
       * @enum {string}
       */
      source: 'environment' | 'store'
      created_at: string | null
      /**
       * @description `failing`: sessions failed on the newest day with a report. `silent`: no report for more than three days. `no-reports`: none ever. As of the last day of the window, or of today.
       * @enum {string}
       */
      state: 'healthy' | 'failing' | 'silent' | 'no-reports'
      /** @description Whose word the state, the headline, the cause and the policies are: `unverified` where there is no verified report; null without a report. */
      trust: ('verified' | 'unverified') | null
      /** @description How it does, and what is wrong, in one sentence. */
      headline: string
      /** @description The worst cause of the last day that failed: what enforce refuses first, then by failed sessions. */
      top_cause: {
        result_type: string
        /** @description Null where the sender did not say. */
        receiving_mx_hostname: string | null
        /** @description Sessions in the window, by the primary policies. */
        failed: components['schemas']['Count']
        /**
         * Format: date
         * @description As in `/v1/causes`.
         */
        since: string
        ongoing: boolean
      } | null
      /** @description That senders applied, those seen last first; at most ten. */
      policy_types: string[]
      /** @description Likewise. */
      policy_modes: string[]
      /** @description The last day with a report, of all time. */
      last_report_day: string | null
      /** @description Sessions. */
      successful: components['schemas']['Count']
      /** @description Sessions. */
      failed: components['schemas']['Count']
      /** @description failed / (successful + failed); null without sessions. */
      failure_rate: number | null
      reports: components['schemas']['Count']
      /** @description The same over reports that nobody stands behind. */
      unverified: {
        /** @description The last day with a report, of all time. */
        last_report_day: string | null
        /** @description Sessions. */
        successful: components['schemas']['Count']
        /** @description Sessions. */
        failed: components['schemas']['Count']
        /** @description failed / (successful + failed); null without sessions. */
        failure_rate: number | null
        reports: components['schemas']['Count']
      }
      /** @description Reports that do not count because unverified ones contradict each other. */
      contested_reports: components['schemas']['Count']
    }
    /** @description What was erased. */
    Purged: {
      domain: string
      reports: number
      /** @description Those about other domains too are among them: they stay, without this one. */
      submissions: number
      /** @description Of all arrivals that had something about it. */
      bytes: components['schemas']['Count']
    }
    DomainName: {
      domain: string
      /** @description As `order_by=need` has it; `unheard`: no report in the window. Null in the order of names. */
      need: ('failing' | 'silent' | 'unheard' | 'healthy') | null
    }
    Instance: {
      name: string
      version: string
      /** @description Addresses of this instance, in the order to publish: some senders use the first only. */
      rua: string[]
      /** @description The TXT record to publish at `_smtp._tls.DOMAIN`. */
      record: string
    }
    Session: {
      /** @description Of the token. */
      name: string
      /** @description What it may; `admin` is everything. */
      scopes: ('read' | 'write' | 'ingest' | 'admin')[]
      /** @description What it may see; null: every domain. */
      domains: string[] | null
      /** @description When the session ends; null for who brings a token with each request. */
      expires_at: string | null
    }
    /** @description Null is what the sender did not say. */
    PolicyVersion: {
      /** @description Domain of ours. */
      domain: string
      /**
       * Format: date
       * @description With `by=day`.
       */
      day?: string
      /** @description As the sender had it: ours, a subdomain, or with DANE the MX host. */
      policy_domain: string
      policy_type: string
      /** @description Mode of an STS policy. */
      policy_mode: string | null
      /** @description As the sender saw it: untrusted text. */
      policy_string: string[]
      mx_host: string[]
      /** @description Seconds, of an STS policy that says it. */
      max_age: number | null
      /** @description An STS policy against the one that the last check found published; null where that cannot be told, as of what was seen after the check. */
      live: ('same' | 'older') | null
      /** @description Last day on which whoever applied it on `last_day` may go on with it; null where there is no `max_age`. */
      cache_until: string | null
      /**
       * Format: date
       * @description First UTC day of the window with a report that tells of it.
       */
      first_day: string
      /** Format: date */
      last_day: string
      /** @description Sessions, whether the policy is the primary one of its report or not. */
      successful: components['schemas']['Count']
      /** @description Likewise: of several policies of a report they may be the same sessions. */
      failed: components['schemas']['Count']
      reports: components['schemas']['Count']
      /** @description The same over reports that nobody stands behind. */
      unverified: {
        /** @description Sessions, whether the policy is the primary one of its report or not. */
        successful: components['schemas']['Count']
        /** @description Likewise: of several policies of a report they may be the same sessions. */
        failed: components['schemas']['Count']
        reports: components['schemas']['Count']
      }
      /** @description Who applied it: verified reporters first, then by reports; at most fifty. */
      reporters: {
        reporter: string | null
        /** @description A label anyone can write. */
        organization: string | null
        /** @enum {string} */
        trust: 'verified' | 'unverified'
        /**
         * Format: date
         * @description First UTC day of the window with a report that tells of it.
         */
        first_day: string
        /** Format: date */
        last_day: string
        /** @description Last day on which whoever applied it on `last_day` may go on with it; null where there is no `max_age`. */
        cache_until: string | null
        reports: components['schemas']['Count']
      }[]
    }
    Readiness: {
      domain: string
      /** @enum {string} */
      verdict: 'ready' | 'not-ready' | 'not-enough-evidence'
      /**
       * @description Of the policy published now.
       * @enum {string}
       */
      mode?: 'enforce' | 'testing' | 'none'
      blockers: {
        code: string
        sentence: string
        fix: string
      }[]
      /** @description Successful sessions since the last failure, under the policy published now, by known reporters. */
      clean: {
        /** Format: date */
        since: string
        sessions: number
        reporters: string[]
      }
      /** @description In the window, had senders enforced. Under DANE and MTA-STS they may be the same sessions: the larger count stands. */
      would_have_been_refused: {
        sessions: number
        of: {
          /** @description `unattributed`: failed sessions of which no report gives a detail. */
          result_type: string
          mx?: string
          sessions: number
          reporters: string[]
          /** Format: date */
          last_seen: string
        }[]
      }
      /** @description The policy file in mode enforce, and the TXT record at `_mta-sts.DOMAIN` with a new id. Absent where there is no policy to change, or it is enforced already. */
      edits?: {
        policy: string
        record: string
      }
      checked_at: string | null
      thresholds: {
        min_sessions: number
        min_reporters: number
      }
      window: components['schemas']['Window']
    }
    Records: {
      domain: string
      /** @enum {string} */
      mail_service: 'google-workspace' | 'microsoft-365' | 'other'
      records: {
        name: string
        /** @constant */
        type: 'TXT'
        value: string
        /** @description What stands there now; absent where the DNS cannot tell. */
        live?: string[]
        /** @description Whether what stands there will do. */
        matches: boolean
      }[]
      /** @description Absent where no MX host could be told. */
      policy?: {
        /** Format: uri */
        url: string
        text: string
        policy: {
          mode: string
          max_age: number
          mx: string[]
        }
        /** @enum {string} */
        live: 'same' | 'other' | 'none' | 'unknown'
      }
      /** @description Ready texts to host the policy. */
      hosting: {
        name: string
        title: string
        text: string
      }[]
      advice: string[]
    }
    Reporter: {
      /** @description Organisational domain behind the DKIM signature. */
      domain: string
      /**
       * @description Of a `blocked` reporter reports are stored and never count. `known` and `new` differ in the word.
       * @enum {string}
       */
      standing: 'known' | 'new' | 'blocked'
      /**
       * @description `operator`: see `noted_by`. `seed`: a well-known sender, see `reference`. `default`: nobody said a word.
       * @enum {string}
       */
      standing_source: 'operator' | 'seed' | 'default'
      /** @description Where it can be read that this is a well-known sender. */
      reference: string | null
      /** @description Name of the token that set the standing. */
      noted_by: string | null
      noted_at: string | null
      /** @description First day with a report, of all that is kept. */
      first_seen: string | null
      /** @description Last day with a report, of all that is kept. */
      last_seen: string | null
      /** @description Median gap between days with a report, of all that is kept. */
      cadence_days: number | null
      /** @description Nothing for more than three days and three times the cadence, after three days with a report or more. */
      overdue: boolean
      /** @description Counted ones, in the window. */
      reports: components['schemas']['Count']
      /** @description Sessions, in the window. */
      successful: components['schemas']['Count']
      /** @description Sessions, in the window. */
      failed: components['schemas']['Count']
      /** @description In the window, whatever the reason. */
      uncounted_reports: components['schemas']['Count']
      /** @description Names it gave itself in the window, their first 255 characters, at most ten, the most used first. */
      organizations: string[]
      /** @description Reports in the window by what was odd about them. */
      anomalies: {
        [key: string]: components['schemas']['Count']
      }
    }
    ResultType: {
      name: string
      /** @enum {string} */
      group: 'negotiation' | 'policy-dane' | 'policy-mta-sts' | 'general'
      meaning: string
      /** @description Whether a sender that enforces then does not deliver to that MX. */
      enforce_refuses: boolean
      fix: string
      /** @description Of RFC 8460. */
      section: string
    }
    Link: {
      /** @description Stable, kebab-case. */
      link: string
      subject: string
      holds: boolean
      sentence: string
    }
    SelfTest: {
      domain: string
      /** @description Whether all links hold. */
      holds: boolean
      first_broken: components['schemas']['Link'] | null
      /** @description From the record to the store; those of a way end with the broken one. */
      links: components['schemas']['Link'][]
    }
    Token: {
      /** Format: uuid */
      key: string
      name: string
      /** @description `read`: what stands here. `write`: to change it. `admin`: both, and tokens. `ingest`: to post reports to the intake at `/v1/tlsrpt/{token}`, and nothing else. */
      scopes: ('read' | 'write' | 'ingest' | 'admin')[]
      /** @description Empty: every domain. */
      domains: string[]
      /** Format: date-time */
      created_at: string
      /** @description Null while it is good. */
      revoked_at: string | null
    }
    Taken: {
      /** @description Null where a refusal could not be kept just now. */
      key: string | null
      /** @enum {string} */
      verdict:
        | 'accepted'
        | 'duplicate'
        | 'conflict'
        | 'quarantined'
        | 'unauthenticated'
        | 'malformed'
        | 'unreadable'
        | 'not-ours'
        | 'too-large'
      /** @description Finer than the verdict; stable. Null on what is accepted. */
      reason: string | null
    }
    JudgedAgain: {
      /** Format: uuid */
      key: string
      /** @enum {string} */
      verdict:
        | 'accepted'
        | 'duplicate'
        | 'conflict'
        | 'quarantined'
        | 'unauthenticated'
        | 'malformed'
        | 'unreadable'
        | 'not-ours'
        | 'too-large'
      /** @description Finer than the verdict; stable. Null on what is accepted. */
      reason: string | null
      reports: {
        /** Format: uuid */
        key: string
        domain: string
        /** @enum {string} */
        verdict: 'accepted' | 'duplicate' | 'conflict'
      }[]
    }
    Report: {
      /** Format: uuid */
      key: string
      /** @description Domain of ours. A report on several has a row for each. */
      domain: string
      /**
       * Format: date
       * @description UTC day on which the range starts: the day it counts on.
       */
      day: string
      /** @description A label anyone can write. */
      organization: string | null
      contact_info: string | null
      /** @description Organisational domain behind the DKIM signature; null when unverified. */
      reporter: string | null
      /** @enum {string} */
      trust: 'verified' | 'unverified'
      /**
       * @description Why it counts or does not.
       * @enum {string}
       */
      standing: 'counted' | 'superseded' | 'conflict' | 'contested' | 'implausible' | 'excluded' | 'blocked'
      /** @description Whether it is in the numbers. */
      counted: boolean
      report_id: string
      /** Format: date-time */
      start_datetime: string
      /** Format: date-time */
      end_datetime: string
      /** Format: date-time */
      arrived_at: string
      transport: string
      /** @description Sessions, by the primary policies. */
      successful: components['schemas']['Count']
      /** @description Sessions, by the primary policies. */
      failed: components['schemas']['Count']
      /** @description Failed sessions by policy type, also of types that are not in `failed` because they may describe the same sessions. */
      failed_by_policy_type: {
        [key: string]: components['schemas']['Count']
      }
      /** @description Repairs made and oddities seen, each with a JSON pointer into the report. */
      anomalies: {
        code: string
        pointer: string
      }[]
      /**
       * Format: uuid
       * @description The arrival it was taken from.
       */
      submission_key: string
      /** @description The operator's last word on it. */
      decision: {
        /** @enum {string} */
        word: 'include' | 'exclude'
        /** @description Name of the token. */
        by: string
        /** Format: date-time */
        at: string
        reason: string | null
      } | null
    }
  }
  responses: never
  parameters: never
  requestBodies: never
  headers: never
  pathItems: never
}
export type $defs = Record<string, never>
export type operations = Record<string, never>
