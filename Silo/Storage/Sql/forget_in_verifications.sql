-- The differences that a proof found name fingerprints.
update verifications
set found = replace(replace(found, '''' || @fingerprint || '''', '(erased)'), '''~' || @fingerprint || '''', '(erased)')
where found <> replace(replace(found, '''' || @fingerprint || '''', ''), '''~' || @fingerprint || '''', '')
