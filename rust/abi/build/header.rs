//! Compares the Rust with deno_ssh_proxy.h, the source of the C ABI: generates Rust that compiles only if each function,
//! struct and number of the header has the same type or value in the crate.

use crate::Result;
use std::fmt::Write;

/// Returns the checks for a header, as Rust items.
pub fn checks(header: &str) -> Result<String> {
    let mut checks = String::new();
    let text = without_comments(header)?;
    for line in text.lines().filter(|line| line.starts_with("#define ")) {
        // The guard against a second inclusion has no value.
        if let [_, name, value] = line.split_whitespace().collect::<Vec<_>>()[..] {
            let value = value.trim_end_matches('u');
            writeln!(checks, "const _: () = assert!({name} == {value});")?;
        }
    }
    let code: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    for item in items(&code.join(" ")) {
        checks +=
            &check(&item).ok_or_else(|| format!("deno_ssh_proxy.h: not understood: {item}"))?;
    }
    Ok(checks)
}

fn without_comments(header: &str) -> Result<String> {
    let mut parts = header.split("/*");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text += part.split_once("*/").ok_or("deno_ssh_proxy.h: a comment has no end")?.1;
    }
    Ok(text)
}

/// Splits C code at each semicolon that is outside of braces.
fn items(code: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut depth = 0;
    for character in code.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        match items.last_mut() {
            Some(item) if character != ';' || depth > 0 => item.push(character),
            _ => items.push(String::new()),
        }
    }
    let trimmed = items.iter().map(|item| item.split_whitespace().collect::<Vec<_>>().join(" "));
    trimmed.filter(|item| !item.is_empty()).collect()
}

/// Returns the check of one declaration.
fn check(item: &str) -> Option<String> {
    if let Some(data) = item.strip_prefix("extern const ") {
        let (name, kind) = declaration(data)?;
        return Some(format!("const _: fn() -> &'static {kind} = || &{name};\n"));
    }
    if let Some((tag, members)) = body_of(item, "enum ") {
        return members.split(',').map(|member| check_enumerator(tag, member)).collect();
    }
    if let Some((tag, members)) = body_of(item, "struct ") {
        let fields: Vec<(&str, String)> = members
            .split(';')
            .filter(|field| !field.trim().is_empty())
            .map(declaration)
            .collect::<Option<_>>()?;
        let (mut names, mut types) = (String::new(), String::new());
        for (name, kind) in fields {
            names += &format!("{name}, ");
            types += &format!("{kind}, ");
        }
        let tag = camel_case(tag);
        return Some(format!(
            "const _: fn({tag}) -> ({types}) = |{tag} {{ {names} }}| ({names});\n"
        ));
    }
    let (result, rest) = item.split_once(' ')?;
    let (name, parameters) = rest.strip_suffix(')')?.split_once('(')?;
    let parameters: Vec<String> = match parameters {
        "void" => Vec::new(),
        some => some.split(',').map(|one| Some(declaration(one)?.1)).collect::<Option<_>>()?,
    };
    let (parameters, result) = (parameters.join(", "), rust_type(result)?);
    Some(format!("const _: unsafe extern \"C\" fn({parameters}) -> {result} = {name};\n"))
}

/// Returns the tag of an enum or a struct, and the text between its braces.
fn body_of<'a>(item: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let (tag, members) = item.strip_prefix(keyword)?.strip_suffix('}')?.split_once('{')?;
    Some((tag.trim(), members))
}

/// Checks that `FD_UNIX_SOCKET = 1` of `enum fd_kind` is `FdKind::UnixSocket as i64 == 1`.
fn check_enumerator(tag: &str, member: &str) -> Option<String> {
    let (name, value) = member.split_once('=')?;
    let (_prefix, variant) = name.trim().split_once('_')?;
    let (tag, variant) = (camel_case(tag), camel_case(variant));
    Some(format!("const _: () = assert!({tag}::{variant} as i64 == {});\n", value.trim()))
}

/// Returns the name and the Rust type of `const uint8_t *path`, `uint32_t into[3]` or `uint8_t path[108]`.
///
/// A parameter that is an array is a pointer in C; a field is not. The parameters of the header are named `into`.
fn declaration(text: &str) -> Option<(&str, String)> {
    let (kind, name) = text.trim().rsplit_once(' ')?;
    if let Some((name, length)) = name.strip_suffix(']').and_then(|rest| rest.split_once('[')) {
        let array = format!("[{}; {length}]", rust_type(kind)?);
        return Some((name, if name == "into" { format!("*mut {array}") } else { array }));
    }
    match (name.strip_prefix('*'), kind.strip_prefix("const ")) {
        (Some(name), Some(kind)) => Some((name, format!("*const {}", rust_type(kind)?))),
        (Some(name), None) => Some((name, format!("*mut {}", rust_type(kind)?))),
        (None, _) => Some((name, rust_type(kind)?)),
    }
}

fn rust_type(name: &str) -> Option<String> {
    Some(match name {
        "int32_t" => "i32".to_owned(),
        "int64_t" => "i64".to_owned(),
        "uint8_t" => "u8".to_owned(),
        "uint32_t" => "u32".to_owned(),
        "uint64_t" => "u64".to_owned(),
        "size_t" => "usize".to_owned(),
        _ => camel_case(name.strip_prefix("struct ")?),
    })
}

/// Returns `FdKind` for `fd_kind` and `UnixSocket` for `UNIX_SOCKET`.
fn camel_case(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + &rest.to_lowercase()
    });
    words.collect()
}
