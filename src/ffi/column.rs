//! Columns of the current row.

use std::ffi::c_char;
use std::sync::Arc;

use crate::error::{Code, Error, Result};
use crate::session::columns::{Column, Kind, LIST};
use crate::session::{Row, Value};

use super::cursor::SmimesyncCursor;
use super::guard;
use super::text::{outgoing, write_pair};

/// `smimesync_column_type`: the value is absent.
pub const SMIMESYNC_NULL: i32 = 0;
/// Column type: a whole number, read by `smimesync_column_int64`.
pub const SMIMESYNC_INTEGER: i32 = 1;
/// Column type: UTF-8 text, read by `smimesync_column_text`.
pub const SMIMESYNC_TEXT: i32 = 2;
/// Column type: bytes, read by `smimesync_column_blob`.
pub const SMIMESYNC_BLOB: i32 = 3;
/// Column type: 0 or 1, read by `smimesync_column_int64`.
pub const SMIMESYNC_BOOLEAN: i32 = 4;
/// Column type: milliseconds since 1970 UTC, read by `smimesync_column_int64`.
pub const SMIMESYNC_TIME: i32 = 5;
/// Column type: nested rows of one text column, read by `smimesync_column_rows`.
pub const SMIMESYNC_LIST: i32 = 6;
/// Column type: nested rows, read by `smimesync_column_rows`.
pub const SMIMESYNC_ROWS: i32 = 7;

fn number(kind: Kind) -> i32 {
    match kind {
        Kind::Integer => SMIMESYNC_INTEGER,
        Kind::Text => SMIMESYNC_TEXT,
        Kind::Blob => SMIMESYNC_BLOB,
        Kind::Boolean => SMIMESYNC_BOOLEAN,
        Kind::Time => SMIMESYNC_TIME,
        Kind::List => SMIMESYNC_LIST,
        Kind::Rows(_) => SMIMESYNC_ROWS,
    }
}

fn mismatch() -> Error {
    Error::new(Code::ColumnMismatch)
}

fn column(cursor: &SmimesyncCursor, index: u32) -> Result<&'static Column> {
    usize::try_from(index).ok().and_then(|index| cursor.columns().get(index)).ok_or_else(mismatch)
}

/// # Safety
/// `cursor` is NULL or a live handle.
unsafe fn with_value<T>(
    cursor: *const SmimesyncCursor,
    index: u32,
    read: impl FnOnce(&SmimesyncCursor, &'static Column, &Value) -> Result<T>,
) -> Result<T> {
    // SAFETY: this function's own contract.
    let cursor = unsafe { SmimesyncCursor::borrow(cursor) }?;
    let column = column(cursor, index)?;
    cursor.with_row(|row| {
        let value = row.and_then(|row| row.value(index as usize)).ok_or_else(mismatch)?;
        read(cursor, column, value)
    })
}

/// How many columns the rows have; 0 for NULL. Known before the first row.
///
/// # Safety
/// `cursor` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_column_count(cursor: *const SmimesyncCursor) -> u32 {
    // SAFETY: this function's own contract.
    unsafe { SmimesyncCursor::borrow(cursor) }.map_or(0, |cursor| cursor.columns().len() as u32)
}

/// The name of a column. Static. Returns 0, or `SMIMESYNC_CODE_COLUMN_MISMATCH` for an index that does not exist.
///
/// # Safety
/// `cursor` is NULL or a live handle; `text` and `len` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_column_name(
    cursor: *const SmimesyncCursor,
    column_index: u32,
    text: *mut *const c_char,
    len: *mut usize,
) -> i32 {
    guard::plain(|| {
        // SAFETY: this function's own contract.
        let name = column(unsafe { SmimesyncCursor::borrow(cursor) }?, column_index)?.name;
        // SAFETY: this function's own contract.
        unsafe { outgoing(Some(name), text, len) }?;
        Ok(0)
    })
}

/// The declared type of a column, or a negative code.
///
/// # Safety
/// `cursor` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_column_declared_type(cursor: *const SmimesyncCursor, column_index: u32) -> i32 {
    guard::plain(|| {
        // SAFETY: this function's own contract.
        Ok(number(column(unsafe { SmimesyncCursor::borrow(cursor) }?, column_index)?.kind))
    })
}

/// The type of the current row's value: the declared type or `SMIMESYNC_NULL`, or a negative code where there is no row.
///
/// # Safety
/// `cursor` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_column_type(cursor: *const SmimesyncCursor, column_index: u32) -> i32 {
    guard::plain(|| {
        let read = |_: &SmimesyncCursor, column: &'static Column, value: &Value| {
            Ok(if *value == Value::Null { SMIMESYNC_NULL } else { number(column.kind) })
        };
        // SAFETY: this function's own contract.
        unsafe { with_value(cursor, column_index, read) }
    })
}

/// The text of a TEXT column, borrowed until the cursor's next call; NULL and 0 for a NULL value. Returns 0 or a
/// negative code, and writes nothing then.
///
/// # Safety
/// `cursor` is NULL or a live handle; `text` and `len` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_column_text(
    cursor: *const SmimesyncCursor,
    column_index: u32,
    text: *mut *const c_char,
    len: *mut usize,
) -> i32 {
    guard::plain(|| {
        let read = |_: &SmimesyncCursor, column: &'static Column, value: &Value| {
            let value = match value {
                Value::Text(value) => Some(value.as_str()),
                Value::Null if column.kind == Kind::Text => None,
                _ => return Err(mismatch()),
            };
            // SAFETY: the outputs are NULL or writable by contract.
            unsafe { outgoing(value, text, len) }
        };
        // SAFETY: this function's own contract.
        unsafe { with_value(cursor, column_index, read) }?;
        Ok(0)
    })
}

/// The number of an INTEGER, BOOLEAN (0 or 1) or TIME (milliseconds since 1970 UTC) column. Returns 0 or a negative
/// code, also for a NULL value, and writes nothing then.
///
/// # Safety
/// `cursor` is NULL or a live handle; `value` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_column_int64(
    cursor: *const SmimesyncCursor,
    column_index: u32,
    value: *mut i64,
) -> i32 {
    guard::plain(|| {
        let read = |_: &SmimesyncCursor, _: &'static Column, found: &Value| match found {
            Value::Integer(number) | Value::Time(number) => Ok(*number),
            Value::Boolean(yes) => Ok(i64::from(*yes)),
            _ => Err(mismatch()),
        };
        // SAFETY: this function's own contract.
        let number = unsafe { with_value(cursor, column_index, read) }?;
        // SAFETY: NULL or writable by this function's own contract.
        *unsafe { value.as_mut() }.ok_or_else(|| Error::new(Code::NullPointer))? = number;
        Ok(0)
    })
}

/// The bytes of a BLOB column, borrowed until the cursor's next call; NULL and 0 for a NULL value. Returns 0 or a
/// negative code, and writes nothing then.
///
/// # Safety
/// `cursor` is NULL or a live handle; `data` and `len` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_column_blob(
    cursor: *const SmimesyncCursor,
    column_index: u32,
    data: *mut *const u8,
    len: *mut usize,
) -> i32 {
    guard::plain(|| {
        let read = |_: &SmimesyncCursor, column: &'static Column, value: &Value| {
            let (bytes, size) = match value {
                Value::Blob(bytes) => (bytes.as_ptr(), bytes.len()),
                Value::Null if column.kind == Kind::Blob => (std::ptr::null(), 0),
                _ => return Err(mismatch()),
            };
            // SAFETY: the outputs are NULL or writable by contract.
            unsafe { write_pair(bytes, size, data, len) }
        };
        // SAFETY: this function's own contract.
        unsafe { with_value(cursor, column_index, read) }?;
        Ok(0)
    })
}

/// Opens the nested rows of a LIST or ROWS column. `*rows` is owned by the caller, holds its own data and outlives the
/// row, the cursor and the session; end it with `smimesync_cursor_free`. A NULL value has no rows. Returns 0 or a
/// negative code, and writes nothing then.
///
/// # Safety
/// `cursor` is NULL or a live handle; `rows` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn smimesync_column_rows(
    cursor: *const SmimesyncCursor,
    column_index: u32,
    rows: *mut *mut SmimesyncCursor,
) -> i32 {
    guard::plain(|| {
        let read = |cursor: &SmimesyncCursor, column: &'static Column, value: &Value| {
            let columns = match column.kind {
                Kind::List => LIST,
                Kind::Rows(columns) => columns,
                _ => return Err(mismatch()),
            };
            let nested = match value {
                Value::List(texts) => texts.iter().map(|text| Row::new(LIST).set("value", text.as_str())).collect(),
                Value::Rows(rows) => Arc::clone(rows),
                _ => Arc::from([]),
            };
            Ok((columns, nested, cursor.culture()))
        };
        if rows.is_null() {
            return Err(Error::new(Code::NullPointer));
        }
        // SAFETY: this function's own contract.
        let (columns, nested, culture) = unsafe { with_value(cursor, column_index, read) }?;
        // SAFETY: not NULL, and writable by this function's own contract.
        unsafe { rows.write(SmimesyncCursor::of_rows(columns, nested, culture)) };
        Ok(0)
    })
}
