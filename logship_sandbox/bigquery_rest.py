"""The REST calls about datasets and tables, as `google-cloud-bigquery` makes them."""

import msgspec
from aiohttp import web

from logship_sandbox.bigquery_json import body, integer, json_answer
from logship_sandbox.bigquery_queries import MAX_PAGE_ROWS
from logship_sandbox.bigquery_resources import (
    Dataset,
    DatasetReference,
    Table,
    TableReference,
    decode,
    plain,
)
from logship_sandbox.bigquery_service import Service
from logship_sandbox.bigquery_trouble import Trouble
from logship_sandbox.bigquery_values import rows_json

_SUMMARY = ("kind", "id", "tableReference", "type", "labels", "timePartitioning", "clustering",
            "creationTime", "friendlyName")  # fmt: skip


class TableApi:
    """datasets.* and tables.*, and tabledata.list."""

    def __init__(self, service: Service, trouble: Trouble) -> None:
        self._service = service
        self._trouble = trouble

    def routes(self, base: str) -> list[web.RouteDef]:
        datasets, dataset = f"{base}/datasets", f"{base}/datasets/{{dataset}}"
        table = f"{dataset}/tables/{{table}}"
        return [
            web.get(datasets, self.list_datasets),
            web.post(datasets, self.insert_dataset),
            web.get(dataset, self.get_dataset),
            web.patch(dataset, self.patch_dataset),
            web.put(dataset, self.patch_dataset),
            web.delete(dataset, self.delete_dataset),
            web.get(f"{dataset}/tables", self.list_tables),
            web.post(f"{dataset}/tables", self.insert_table),
            web.get(table, self.get_table),
            web.patch(table, self.patch_table),
            web.put(table, self.patch_table),
            web.delete(table, self.delete_table),
            web.get(f"{table}/data", self.list_rows),
            web.post(
                f"{dataset}/tables/{{table:[^/:]+}}:testIamPermissions", self.test_permissions
            ),
        ]

    async def list_datasets(self, request: web.Request) -> web.Response:
        found = [plain(d) for d in self._service.catalog.datasets(request.match_info["project"])]
        return json_answer({"kind": "bigquery#datasetList", "datasets": found})

    async def insert_dataset(self, request: web.Request) -> web.Response:
        self._trouble.need("bigquery.datasets.create")
        resource = await body(request)
        _default_project(resource, "datasetReference", request)
        return json_answer(await self._service.create_dataset(decode(Dataset, resource)))

    async def get_dataset(self, request: web.Request) -> web.Response:
        self._trouble.need("bigquery.datasets.get")
        return json_answer(self._service.catalog.dataset(_dataset(request)))

    async def patch_dataset(self, request: web.Request) -> web.Response:
        patch = await body(request)
        return json_answer(await self._service.update_dataset(_dataset(request), patch))

    async def delete_dataset(self, request: web.Request) -> web.Response:
        contents = request.query.get("deleteContents", "").lower() == "true"
        await self._service.delete_dataset(_dataset(request), contents)
        return web.Response(status=204)

    async def list_tables(self, request: web.Request) -> web.Response:
        found = [plain(table) for table in self._service.catalog.tables(_dataset(request))]
        short = [{k: v for k, v in table.items() if k in _SUMMARY} for table in found]
        total = len(short)
        return json_answer({"kind": "bigquery#tableList", "tables": short, "totalItems": total})

    async def insert_table(self, request: web.Request) -> web.Response:
        self._trouble.need("bigquery.tables.create")
        resource = await body(request)
        _default_project(resource, "tableReference", request)
        return json_answer(await self._service.create_table(decode(Table, resource)))

    async def get_table(self, request: web.Request) -> web.Response:
        self._trouble.need("bigquery.tables.get")
        table = self._service.catalog.table(_table(request))
        count = await self._service.count(table)
        rows = "" if count is None else str(count)
        return json_answer(msgspec.structs.replace(table, num_rows=rows))

    async def patch_table(self, request: web.Request) -> web.Response:
        patch = await body(request)
        etag = request.headers.get("If-Match")
        return json_answer(await self._service.update_table(_table(request), patch, etag))

    async def delete_table(self, request: web.Request) -> web.Response:
        await self._service.delete_table(_table(request))
        return web.Response(status=204)

    async def test_permissions(self, request: web.Request) -> web.Response:
        """Those of the permissions that the caller has."""
        self._service.catalog.table(_table(request))
        asked = (await body(request)).get("permissions")
        names = [str(name) for name in asked] if isinstance(asked, list) else []
        found = [name for name in names if not self._trouble.denies(name)]
        return json_answer({"permissions": found} if found else {})

    async def list_rows(self, request: web.Request) -> web.Response:
        table = self._service.catalog.table(_table(request))
        given = request.query
        start = integer(given.get("pageToken") or given.get("startIndex"), 0) or 0
        limit = integer(given.get("maxResults"), MAX_PAGE_ROWS) or 0
        total = await self._service.count(table) or 0
        ref = table.table_reference
        answer = await self._service.rows(ref, start, min(limit, MAX_PAGE_ROWS))
        int64 = given.get("formatOptions.useInt64Timestamp", "").lower() == "true"
        out: dict[str, object] = {"kind": "bigquery#tableDataList", "totalRows": str(total)}
        out["rows"] = rows_json(answer.rows, answer.fields, int64)
        after = start + answer.rows.num_rows
        if answer.rows.num_rows and after < total:
            out["pageToken"] = str(after)
        return json_answer(out)


def _dataset(request: web.Request) -> DatasetReference:
    return DatasetReference(request.match_info["project"], request.match_info["dataset"])


def _table(request: web.Request) -> TableReference:
    path = request.match_info
    return TableReference(path["project"], path["dataset"], path["table"])


def _default_project(resource: dict[str, object], name: str, request: web.Request) -> None:
    """A reference in the body may leave out what the path says."""
    path = {"projectId": request.match_info["project"]}
    if "dataset" in request.match_info:
        path["datasetId"] = request.match_info["dataset"]
    given = resource.get(name)
    if isinstance(given, dict):
        resource[name] = {**path, **given}
