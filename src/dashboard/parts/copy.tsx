/** Text to be taken elsewhere: records, configuration. */
import { useState } from 'preact/hooks'

export function Copyable({ text, label }: { text: string; label: string }) {
  const [said, setSaid] = useState('')
  const copy = () =>
    void navigator.clipboard.writeText(text).then(
      () => setSaid('Copied.'),
      () => setSaid('Select the text and copy it.'), // Without a secure origin the browser refuses.
    )
  return (
    <div class="copyable">
      <pre aria-label={label} tabIndex={0}>
        <code>{text}</code>
      </pre>
      <button type="button" class="outline small" onClick={copy} aria-label={`Copy ${label}`}>
        Copy
      </button>
      <span role="status" class="quiet">
        {said}
      </span>
    </div>
  )
}
