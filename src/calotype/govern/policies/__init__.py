"""The rules of access, written in Cedar; `govern.cedar` reads them."""
