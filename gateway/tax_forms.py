"""The forms of a refund: both details as the import templates of a declaring firm have them, and as TAX101.

Known limits: the templates of the offline client are not published; the columns and the first row of data are those
on which public templates agree, the lines above them are ours.  So are the columns of the receipts of foreign exchange
and of the index of documents; the numbers of contracts and of transport are the firm's to fill in.
"""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gateway.config import Partner
from gateway.tax_sheets import workbook
from mapping.judging import transfer_of
from message_specs import writing
from message_specs.amounts import number
from message_specs.document import escaped
from message_specs.tax.forms import Forms
from spool.aside import put

_BUSINESS: Final = "01"
_DATA_FROM: Final = 9
_EXPORTS: Final = {
    "sbny": "申报年月", "sbpc": "申报批次", "xh": "序号", "glh": "关联号", "ckfphm": "出口发票号",
    "ckhwbgdh": "出口货物报关单号", "dlzm": "代理出口货物证明号", "ckrq": "出口日期", "ckspdm": "出口商品代码",
    "ckspmc": "出口商品名称", "jldw": "计量单位", "cksl": "出口数量", "mylaj": "美元离岸价", "sbspdm": "申报商品代码",
    "ywlx": "退（免）税业务类型", "bz": "备注",
}  # fmt: skip
_PURCHASES: Final = {
    "sbny": "申报年月", "sbpc": "申报批次", "glh": "关联号", "sz": "税种", "pzzl": "凭证种类", "jhpzh": "进货凭证号",
    "kprq": "开票日期", "ghfsbh": "供货方纳税人识别号", "ckspdm": "出口商品代码", "spmc": "商品名称",
    "jldw": "计量单位", "sl": "数量", "jsje": "计税金额", "zsl": "征税率(%)", "tsl": "退税率(%)", "ktse": "可退税额",
    "bz": "备注",
}  # fmt: skip
_PROCEEDS: Final = {
    "sbny": "申报年月", "sbpc": "申报批次", "xh": "序号", "ckfphm": "出口发票号", "ckhwbgdh": "出口货物报关单号",
    "dlzm": "代理出口货物证明号", "ckrq": "出口日期", "mylaj": "美元离岸价", "bz": "收汇情况",
}  # fmt: skip
_INDEX: Final = {
    "sbny": "申报年月", "sbpc": "申报批次", "xh": "序号", "glh": "关联号", "ckfphm": "出口发票号",
    "ckhwbgdh": "出口货物报关单号", "dlzm": "代理出口货物证明号", "ckrq": "出口日期", "jhpzh": "进货凭证号",
    "htbh": "购货合同号", "ydh": "运输单据号", "cfdd": "存放地点",
}  # fmt: skip
TEMPLATES: Final = (("外贸企业出口退税出口明细申报表", _EXPORTS), ("外贸企业出口退税进货明细申报表", _PURCHASES))
_OURS: Final = (("出口业务收汇情况表", _PROCEEDS), ("备案单证目录", _INDEX))


def write_templates(folder: Path, head: Mapping[str, str], forms: Forms) -> list[Path]:
    """Both import templates stand in the folder, named as firms name them, and beside them what the firm keeps.

    That is the index of its documents, to be filled in, and where something is declared late the receipts of foreign
    exchange; return the files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    sold = export_rows(forms)
    sheets = [
        sold,
        purchase_rows(forms),
        [row for row, one in zip(sold, forms.exports, strict=True) if one.export.note],
        index_rows(forms),
    ]
    for (title, columns), rows in zip((*TEMPLATES, *_OURS), sheets, strict=True):
        if not rows:
            continue
        above = [
            (title,), ("纳税人识别号", head["taxpayerNo"]), ("纳税人名称", head["taxpayerName"]),
            ("申报年月", head["sbny"]), ("申报批次", head["sbpc"]), ("行数", str(len(rows))),
            ("可退税额合计", head["refundTotal"]),
        ]  # fmt: skip
        cells = [[{**head, **row}.get(name, "") for name in columns] for row in rows]
        name = f"{title}导入模板" if columns in (_EXPORTS, _PURCHASES) else title
        file = folder / f"{name}-{head['taxpayerNo']}-{head['sbny']}{head['sbpc']}.xlsx"
        put(file, workbook(title, above, list(columns.values()), cells, from_row=_DATA_FROM))
        files.append(file)
    return files


def export_rows(forms: Forms) -> list[dict[str, str]]:
    """Return the detail of exports (出口明细), its columns by their short names in order; an empty text is none."""
    return [
        {
            "xh": f"{place:08d}",
            "glh": row.link,
            "ckfphm": row.export.invoice_no,
            "ckhwbgdh": "" if row.export.agency else row.export.number,
            "dlzm": row.export.agency,
            "ckrq": f"{row.export.exported_on:%Y%m%d}",
            "ckspdm": row.export.hs,
            "ckspmc": row.export.name,
            "jldw": row.unit,
            "cksl": number(row.amount),
            "mylaj": f"{row.export.fob or 0:.2f}",
            "sbspdm": "",
            "ywlx": _BUSINESS,
            "bz": row.export.remark,
        }
        for place, row in enumerate(forms.exports, 1)
    ]


def purchase_rows(forms: Forms) -> list[dict[str, str]]:
    """Return the detail of purchases (进货明细), its columns by their short names in order."""
    return [
        {
            "glh": row.link,
            "sz": row.purchase.tax,
            "pzzl": row.purchase.kind,
            "jhpzh": row.purchase.voucher,
            "pzhh": str(row.purchase.line),
            "kprq": f"{row.purchase.issued_on:%Y%m%d}",
            "ghfsbh": row.purchase.seller,
            "ckspdm": row.purchase.hs,
            "spmc": row.purchase.name,
            "jldw": row.purchase.unit,
            "sl": number(row.amount),
            "jsje": f"{row.base:.2f}",
            "zsl": number(row.purchase.tax_rate),
            "tsl": number(row.refund_rate),
            "ktse": f"{row.refund:.2f}",
            "bz": "",
        }
        for row in forms.purchases
    ]


def index_rows(forms: Forms) -> list[dict[str, str]]:
    """Return the index of the documents behind each export (备案单证目录), with the invoices of its link."""
    invoices: dict[str, dict[str, None]] = {}
    for row in forms.purchases:
        invoices.setdefault(row.link, {})[row.purchase.voucher] = None
    return [row | {"jhpzh": "、".join(invoices.get(row["glh"], ()))} for row in export_rows(forms)]


def body_of(key: str, head: Mapping[str, str], forms: Forms, partner: Partner) -> bytes:
    """Return the declaration as TAX101; the same key and forms give the same bytes."""
    groups = [element("RefundHead", head), *(element("ExportList", one) for one in export_rows(forms))]
    groups += [element("PurchaseList", one) for one in purchase_rows(forms)]
    return message_of(key, "TaxRefundMessage", "Refund", "".join(groups), partner)


def message_of(key: str, root: str, unit: str, inner: str, partner: Partner) -> bytes:
    """Return a tax message of one document, transmitted by the partner."""
    guid = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{key}{inner}")).upper()
    whom = transfer_of({"code": partner.code, "title": partner.title, "dxp_id": partner.dxp_id})
    text = f"<tax:{unit}>{inner}</tax:{unit}>".encode()
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + writing.message(root, guid, [text], whom, family="tax")


def element(name: str, fields: Mapping[str, str]) -> str:
    """Return a group of leaves in the order of the fields; an empty one is left out."""
    leaves = "".join(f"<tax:{one}>{escaped(text)}</tax:{one}>" for one, text in fields.items() if text)
    return f"<tax:{name}>{leaves}</tax:{name}>"
