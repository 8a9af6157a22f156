//! `POST /api/ingest/logs` and `/api/ingest/metrics`: a body of lines goes to disk while it arrives.
//!
//! The body is decoded, cut and parsed chunk by chunk and committed in batches, so that its length costs no memory.
//! While one batch is being synced the next one is read. What was committed stays when the body breaks off later.

use super::ApiError;
use crate::ingest::carbon::Plaintext;
use crate::ingest::counters::Protocol;
use crate::ingest::decode::{Decoder, ENCODINGS};
use crate::ingest::intake::{Intake, LineParser};
use crate::ingest::ndjson::Ndjson;
use crate::state::AppState;
use crate::store::StoreError;
use crate::store::batch::Durability;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use sonde_shared::api::IngestReport;
use std::io;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A batch goes to the store when it has about this size.
const BATCH_BYTES: usize = 4 << 20;
/// A body that trickles is committed after this much silence.
const SILENCE: Duration = Duration::from_secs(1);

/// Takes NDJSON lines.
pub async fn post_logs(State(state): State<AppState>, headers: HeaderMap, body: Body) -> Response {
    let empty =
        "the body has no lines; send one JSON object a line: {\"ts\":\"2026-11-20T09:30:00Z\",\"msg\":\"…\"}";
    answer(receive::<Ndjson>(state, Protocol::NdjsonHttp, &headers, body).await, empty)
}

/// Takes Graphite plaintext lines.
pub async fn post_metrics(State(state): State<AppState>, headers: HeaderMap, body: Body) -> Response {
    let empty = "the body has no lines; send one point a line: shop.requests 12.5 1763647500";
    answer(receive::<Plaintext>(state, Protocol::CarbonHttp, &headers, body).await, empty)
}

fn answer(result: Result<(IngestReport, u64), ApiError>, empty: &str) -> Response {
    match result {
        Ok((_, 0)) => ApiError::refused(StatusCode::BAD_REQUEST, empty).into_response(),
        Ok((report, _)) if report.stored == 0 => (StatusCode::BAD_REQUEST, Json(report)).into_response(),
        Ok((report, _)) => Json(report).into_response(),
        Err(error) => {
            let mut response = error.into_response();
            if response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
                response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static(ENCODINGS));
            }
            response
        }
    }
}

/// The report, and how many lines there were.
async fn receive<P: LineParser + 'static>(
    state: AppState,
    protocol: Protocol,
    headers: &HeaderMap,
    body: Body,
) -> Result<(IngestReport, u64), ApiError> {
    let mut decoder = decoder_of(headers)?;
    let mut reception = Reception::<P>::new(state, protocol);
    let mut chunks = body.into_data_stream();
    loop {
        match timeout(SILENCE, chunks.next()).await {
            Err(_silence) => reception.commit().await?,
            Ok(Some(Ok(chunk))) => reception.take(&mut decoder, &chunk).await?,
            Ok(Some(Err(error))) => return Err(reception.broken(&format!("the body broke off: {error}"))),
            Ok(None) => break,
        }
    }
    reception.finish(&mut decoder).await
}

fn decoder_of(headers: &HeaderMap) -> Result<Decoder, ApiError> {
    let refuse = |why: String| ApiError::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, why);
    let mut given = headers.get_all(header::CONTENT_ENCODING).iter();
    let name = given.next().map_or(Ok(""), HeaderValue::to_str).unwrap_or("?");
    if given.next().is_some() || name.contains(',') {
        return Err(refuse(format!("several content encodings at once; send one of {ENCODINGS}, or none")));
    }
    let unknown =
        || refuse(format!("the content encoding `{name}` is not known; send one of {ENCODINGS}, or none"));
    Decoder::for_encoding(name).ok_or_else(unknown)?.map_err(|error| ApiError::Internal(error.to_string()))
}

/// One body on its way to the store.
struct Reception<P: LineParser> {
    state: AppState,
    protocol: Protocol,
    intake: Intake<P>,
    report: IngestReport,
    decoded: Vec<u8>,
    in_flight: Option<InFlight>,
}

/// A batch that the store is writing, and its rows.
struct InFlight {
    task: JoinHandle<Result<(), StoreError>>,
    rows: u64,
}

impl<P: LineParser + 'static> Reception<P> {
    fn new(state: AppState, protocol: Protocol) -> Self {
        let (intake, report) = (Intake::default(), IngestReport::default());
        Self { state, protocol, intake, report, decoded: Vec::new(), in_flight: None }
    }

    async fn take(&mut self, decoder: &mut Decoder, mut chunk: &[u8]) -> Result<(), ApiError> {
        let mut more = true;
        while more {
            let stepped = decoder.step(&mut chunk, &mut self.decoded);
            more = stepped.map_err(|error| self.broken_encoding(&error))?;
            self.parse_decoded();
            if self.intake.batch_bytes() >= BATCH_BYTES {
                self.commit().await?;
            }
            if more {
                // Unpacking much of little input must not keep other tasks from running.
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    async fn finish(mut self, decoder: &mut Decoder) -> Result<(IngestReport, u64), ApiError> {
        decoder.finish(&mut self.decoded).map_err(|error| self.broken_encoding(&error))?;
        self.parse_decoded();
        let Self { intake, report, state, protocol, .. } = &mut self;
        intake.finish(AppState::now(), |number, why| {
            state.counters.refused(*protocol, &why);
            report.refuse(number, why.to_string());
        });
        self.commit().await?;
        self.settle().await?;
        Ok((std::mem::take(&mut self.report), self.intake.lines()))
    }

    fn parse_decoded(&mut self) {
        let Self { intake, report, state, protocol, decoded, .. } = self;
        intake.feed(decoded, AppState::now(), |number, why| {
            state.counters.refused(*protocol, &why);
            report.refuse(number, why.to_string());
        });
        decoded.clear();
    }

    /// Sends the batch off and returns once the one before it is on disk.
    async fn commit(&mut self) -> Result<(), ApiError> {
        self.settle().await?;
        let (batch, rows) = self.intake.take_batch();
        if rows > 0 {
            let store = self.state.store.clone();
            let task = tokio::spawn(async move { P::append(&store, batch, Durability::Acknowledged).await });
            self.in_flight = Some(InFlight { task, rows });
        }
        Ok(())
    }

    async fn settle(&mut self) -> Result<(), ApiError> {
        let Some(InFlight { task, rows }) = self.in_flight.take() else { return Ok(()) };
        let appended = task.await.map_err(|error| ApiError::Internal(error.to_string()))?;
        self.state.counters.settled(self.protocol, rows, appended.is_ok());
        appended?;
        self.report.stored += rows;
        Ok(())
    }

    fn broken_encoding(&self, error: &io::Error) -> ApiError {
        self.broken(&format!("the body could not be unpacked: {error}"))
    }

    fn broken(&self, why: &str) -> ApiError {
        let stored = self.report.stored;
        let detail = format!("{why}; at least {stored} lines before that are stored and stay");
        ApiError::refused(StatusCode::BAD_REQUEST, detail)
    }
}

impl<P: LineParser> Drop for Reception<P> {
    /// Counts what arrived, also when the client went away in the middle.
    fn drop(&mut self) {
        self.state.counters.received(self.protocol, self.intake.lines());
    }
}
