/** A labelled field for one domain name, in the form that it stands in. */
type Props = { label: string; placeholder?: string; value: string; onChange: (value: string) => void }

export function DomainField({ label, placeholder, value, onChange }: Props) {
  return (
    <label>
      {label}
      <input
        required
        placeholder={placeholder}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        value={value}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
    </label>
  )
}
